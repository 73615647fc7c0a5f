// SPDX-License-Identifier: Apache-2.0
// A domain's xenstore nodes: what xenstore-paths.pandoc documents and libxl writes for a PVH
// domain, with the same permissions. Pure.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/types.hpp"
#include "libxl++/config/domain_config.hpp"
#include "libxl++/config/uuid.hpp"
#include "libxl++/toolstack/record.hpp"
#include "libxl++/xenstore/node_store.hpp"

namespace xl::toolstack {

struct Domain;

struct DomainNodesInput {
  DomId id;
  config::Uuid uuid;
  const config::DomainConfig& config;
  GuestLine store;
  GuestLine console;
  std::chrono::system_clock::time_point created;
};

// In an order in which they can be written: parents first.
std::vector<xenstore::NodeSpec> domain_nodes(const DomainNodesInput& input);
std::vector<xenstore::NodeSpec> nodes_of(const Domain& domain);

// Domain 0's own, as xenstored and xen-init-dom0 make them.
std::vector<xenstore::NodeSpec> domain_zero_nodes();

// The directories that hold all of them, to be removed with the domain.
std::vector<std::string> domain_directories(DomId id, const config::Uuid& uuid);

// A soft reset makes all of it anew but the console, whose pty goes on, and the name, without which
// xenconsoled opens no log: what is removed before, and what is written then. Errors: of the store.
Result<std::vector<std::string>> directories_to_renew(xenstore::NodeStore& store, DomId id,
                                                      const config::Uuid& uuid);
std::vector<xenstore::NodeSpec> renewed_nodes_of(const Domain& domain);

// Removes all that the store has of it, as far as the store itself tells:
// for a domain of which nothing else is known any more.
void forget_in_store(xenstore::NodeStore& store, DomId id);

// The nodes that hold the domain's name.
std::vector<xenstore::NodeSpec> name_nodes(DomId id, const config::Uuid& uuid,
                                           const std::string& name);

// A domain that was kept under another name and UUID: what names it now. The directory of the old
// UUID stays, for the one that takes its place.
std::vector<xenstore::NodeSpec> preserved_nodes(DomId id, const config::Uuid& uuid,
                                                const std::string& name);

}  // namespace xl::toolstack
