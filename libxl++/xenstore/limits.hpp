// SPDX-License-Identifier: Apache-2.0
// What one domain may take of the store; the defaults are xenstored's. Domain 0 is bound by none of
// them but the protocol's own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xl::xenstore {

struct Limits {
  std::uint64_t nodes = 1000;    // owned by one domain
  std::size_t node_size = 2048;  // bytes of a node's value
  std::size_t watches = 128;
  std::size_t transactions = 10;         // open at once
  std::size_t transaction_nodes = 1024;  // looked at or changed in one transaction
  std::size_t permissions = 5;           // entries of one node
  std::size_t pending_events = 512;      // watch events that the domain has not fetched
};

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

}  // namespace xl::xenstore
