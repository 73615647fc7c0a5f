// SPDX-License-Identifier: Apache-2.0
// Session: one life of the hypervisor and which domain each of domain 0's event ports serves. When
// the hypervisor dies the whole session goes, and the next one starts from nothing. The xenstore
// outlives it: tools use it without a hypervisor too.
//
// Thread rule: every function from any thread.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/types.hpp"
#include "hypervisor-iface/hypervisor.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::toolstack {

struct Domain;

enum class Line { console, store };

struct PortTarget {
  std::weak_ptr<Domain> domain;
  Line line = Line::console;
};

class Session {
 public:
  Session(std::unique_ptr<hv::Hypervisor> hypervisor, std::shared_ptr<xenstore::NodeStore> store)
      : hypervisor_(std::move(hypervisor)), store_(std::move(store)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    hypervisor_.reset();
    over_.set_value();
  }

  // Ready once the hypervisor behind this session is wholly gone, so that another can take its
  // place.
  std::shared_future<void> over() { return over_future_; }

  hv::Hypervisor& hypervisor() { return *hypervisor_; }
  xenstore::NodeStore& store() { return *store_; }

  void add_port(EventPort port, PortTarget target) {
    const std::lock_guard lock(mutex_);
    ports_.insert_or_assign(port.value(), std::move(target));
  }
  void remove_port(EventPort port) {
    const std::lock_guard lock(mutex_);
    ports_.erase(port.value());
  }
  // An expired domain if nobody has the port.
  PortTarget port(EventPort port) const {
    const std::lock_guard lock(mutex_);
    const auto found = ports_.find(port.value());
    return found == ports_.end() ? PortTarget{} : found->second;
  }
  std::size_t ports() const {
    const std::lock_guard lock(mutex_);
    return ports_.size();
  }

 private:
  std::unique_ptr<hv::Hypervisor> hypervisor_;
  const std::shared_ptr<xenstore::NodeStore> store_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint32_t, PortTarget> ports_;
  std::promise<void> over_;
  std::shared_future<void> over_future_ = over_.get_future().share();
};

}  // namespace xl::toolstack
