// SPDX-License-Identifier: Apache-2.0
// Replay: makes a store again from what a Recorder recorded. The bytes are the daemon's own, but
// nothing is believed of them but their checksum: what makes no sense is refused.
//
// Thread rule: one thread; nobody else has the store yet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/store.hpp"

namespace xl::xenstore {

class RecordReader;

using Guests = std::map<std::uint16_t, std::unique_ptr<Connection>>;

class Replay {
 public:
  // An empty store whose recorder is off.
  explicit Replay(Store& store) : store_(store) {}

  // Everything in the batch, or false at the first thing in it that makes no sense.
  [[nodiscard]] bool apply(std::string_view batch);
  // The guests' connections, which go before the store.
  Guests take_guests() { return std::move(guests_); }

 private:
  bool apply_one(RecordReader& reader);
  bool apply_to_tree(Op op, RecordReader& reader);
  bool apply_arrangement(Op op, RecordReader& reader);
  bool apply_to_guest(Op op, RecordReader& reader);
  bool step(Connection& guest, RecordReader& reader);
  bool watch(Connection& guest, RecordReader& reader);
  bool introduce(DomId domain);
  PermissionsRef permissions(RecordReader& reader);

  Store& store_;
  Guests guests_;
  std::unordered_map<std::string, PermissionsRef> known_permissions_;  // by their encoding
};

}  // namespace xl::xenstore
