// SPDX-License-Identifier: Apache-2.0
// The nodes of a domain's memory directory, which are in KiB: memory/target, what its balloon
// driver is asked for, and memory/static-max, the most that this may be. Pure.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::toolstack {

// `node`: "target", "static-max".
std::string memory_path(DomId id, const char* node);
xenstore::NodeSpec memory_node(DomId id, const char* node, Bytes size);
// A toolstack wrote it and the guest cannot change it. Errors: the store's; internal if it is no
// such number.
Result<Bytes> read_memory(xenstore::NodeStore& store, DomId id, const char* node);

}  // namespace xl::toolstack
