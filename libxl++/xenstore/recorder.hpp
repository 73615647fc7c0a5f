// SPDX-License-Identifier: Apache-2.0
// Recorder: the changes since the last commit, as the journal keeps them (record.hpp), to be
// written in one batch. Off, and then free, until enable().
//
// Thread rule: the Server's lock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/types.hpp"
#include "libxl++/xenstore/record.hpp"
#include "libxl++/xenstore/view.hpp"
#include "libxl++/xenstore/watches.hpp"

namespace xl::xenstore {

class Recorder {
 public:
  using Sink = std::function<void(std::string_view batch)>;

  // Off until enable(); who owns it takes the batches.
  Recorder() = default;
  // On, and gives away batches as they fill; the last is given by finish().
  explicit Recorder(Sink sink) : enabled_(true), sink_(std::move(sink)) {}
  void finish();

  void enable() { enabled_ = true; }
  bool enabled() const { return enabled_; }

  // --- the tree; generations follow from the order of these ---
  void put(std::string_view path, const NodeState& state);
  void erase(std::string_view path);
  void special(std::string_view event, const Permissions& permissions);

  // --- what domain 0 has arranged for a domain, or (none) for all ---
  void limit(std::optional<DomId> domain, std::string_view name, std::uint64_t value);
  void features(DomId domain, std::uint32_t features);
  void forget(DomId domain);  // its limits and features

  // --- a guest's connection ---
  void introduce(DomId domain);
  void release(DomId domain);  // it is gone, and all that was said of it
  void target(DomId domain, DomId target);
  void watch(DomId domain, const Watch& watch);
  void unwatch(DomId domain, std::string_view path, std::string_view token);
  void reset_watches(DomId domain);  // transactions too
  void reset(DomId domain);          // as new
  void transaction_start(DomId domain, std::uint32_t id);
  void transaction_end(DomId domain, std::uint32_t id);
  void step(DomId domain, const Step& step);

  // --- of a snapshot only ---
  void node(std::string_view path, const NodeState& state, std::uint64_t generation,
            std::uint64_t children_generation);
  void next_generation(std::uint64_t value);

  std::string_view batch() const { return batch_; }
  void clear();

 private:
  void start(Op op);
  void start(Op op, DomId domain);
  void number(std::uint64_t value);
  void text(std::string_view text);
  void permissions(const Permissions& permissions);

  bool enabled_ = false;
  Sink sink_;
  std::string batch_;
};

}  // namespace xl::xenstore
