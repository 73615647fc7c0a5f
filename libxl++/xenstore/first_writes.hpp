// SPDX-License-Identifier: Apache-2.0
// The requests that write nodes to a host's xenstored, and how those of a new domain are shared
// among connections (docs/adr/0156). Pure.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/xenstore/host_exchange.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::xenstore {

// A payload of strings, each with its NUL.
std::string strings(std::initializer_list<std::string_view> parts);
HostRequest write_request(const NodeSpec& node);
// The node must have permissions.
HostRequest permissions_request(const NodeSpec& node);

// The requests of one node, which stay together.
struct NodeWrite {
  std::string_view path;
  std::vector<HostRequest> requests;
};

// Of nodes that are not there yet, with as few requests as that takes: each costs xenstored several
// system calls. Directories that hand their permissions down come before all that is in them.
struct FirstWrites {
  std::vector<NodeWrite> directories;  // in their order
  std::vector<NodeWrite> leaves;       // in any
};
FirstWrites first_writes(std::span<const NodeSpec> nodes);

using Share = std::vector<HostRequest>;  // of one connection

// A directory goes where the one goes that it lies in.
std::vector<Share> share_directories(std::span<const NodeWrite> directories, std::size_t lanes);
std::vector<Share> share_leaves(std::span<const NodeWrite> leaves, std::size_t lanes);

}  // namespace xl::xenstore
