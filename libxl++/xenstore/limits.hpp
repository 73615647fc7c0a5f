// SPDX-License-Identifier: Apache-2.0
// What one domain may take of the store; the defaults are xenstored's. Domain 0 is bound by none of
// them but the protocol's own. 0: no limit.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace xl::xenstore {

struct Limits {
  std::uint64_t nodes = 1000;      // owned by one domain
  std::uint64_t node_size = 2048;  // bytes of a node's value
  std::uint64_t watches = 128;
  std::uint64_t transactions = 10;         // open at once
  std::uint64_t transaction_nodes = 1024;  // looked at or changed in one transaction
  std::uint64_t permissions = 5;           // entries of one node
  std::uint64_t pending_events = 512;      // watch events that the domain has not fetched
};

// Whether `count` of something that a domain has is more than it may have.
constexpr bool exceeds(std::uint64_t count, std::uint64_t limit) {
  return limit != 0 && count > limit;
}

// How often each limit turned a request of one domain down. Shown, never silent.
struct LimitHits {
  std::uint64_t nodes = 0;
  std::uint64_t node_size = 0;
  std::uint64_t watches = 0;
  std::uint64_t transactions = 0;
  std::uint64_t transaction_nodes = 0;
  std::uint64_t permissions = 0;
  std::uint64_t pending_events = 0;

  std::uint64_t total() const {
    return nodes + node_size + watches + transactions + transaction_nodes + permissions +
           pending_events;
  }
};

// The limits by the names that GET_QUOTA and SET_QUOTA know them by.
struct LimitField {
  std::string_view name;
  std::uint64_t Limits::*limit;
  std::uint64_t LimitHits::*hits;
};

inline constexpr std::array<LimitField, 7> limit_fields{{
    {"nodes", &Limits::nodes, &LimitHits::nodes},
    {"node-size", &Limits::node_size, &LimitHits::node_size},
    {"watches", &Limits::watches, &LimitHits::watches},
    {"transactions", &Limits::transactions, &LimitHits::transactions},
    {"transaction-nodes", &Limits::transaction_nodes, &LimitHits::transaction_nodes},
    {"permissions", &Limits::permissions, &LimitHits::permissions},
    {"pending-events", &Limits::pending_events, &LimitHits::pending_events},
}};

// Null if there is no limit of that name.
constexpr const LimitField* find_limit(std::string_view name) {
  for (const LimitField& field : limit_fields) {
    if (field.name == name) {
      return &field;
    }
  }
  return nullptr;
}

// "watches 3, nodes 12": those that were hit.
std::string to_string(const LimitHits& hits);

}  // namespace xl::xenstore
