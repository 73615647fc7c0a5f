// SPDX-License-Identifier: Apache-2.0
// What `xl list -l` says of a domain: what libxl keeps of it, whoever made it, and what has changed
// since, from where libxl looks for that too.
#include <nlohmann/json.hpp>

#include "libxl++/config/json.hpp"
#include "libxl++/toolstack/engine.hpp"
#include "libxl++/toolstack/libxl_userdata.hpp"
#include "libxl++/toolstack/memory_nodes.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

std::optional<Bytes> known_memory(xenstore::NodeStore& store, DomId id, const char* node) {
  const auto size = read_memory(store, id, node);
  return size ? std::optional(*size) : std::nullopt;
}

}  // namespace

// What nobody keeps, or what cannot be read, is made up of what is known.
Result<std::string> Engine::libxl_config(const hv::DomainInfo& info) {
  if (options_.host) {
    const LibxlUserdata userdata(options_.host->userdata);
    if (auto kept = userdata.read(info.id, config::Uuid(info.handle))) {
      return kept;
    }
  }
  if (info.id == DomId(0)) {
    return config::domain0_to_stored_libxl_json().dump();
  }
  XL_TRY_ASSIGN(const config::DomainConfig config, config_of(info.id));
  return libxl_json(config);
}

Result<LibxlListing> Engine::libxl_listing(DomId id) {
  XL_TRY_ASSIGN(const DomainSummary row, summary(id));
  LibxlListing listing;
  listing.name = row.name;
  XL_TRY_ASSIGN(listing.stored, libxl_config(row.info));
  const SessionRef session = sessions_->current();
  if (session == nullptr || (id == DomId(0) && !options_.host)) {
    listing.memory = listing.max_memory = to_bytes(row.info.memory);
    return listing;
  }
  const std::string home = xenstore::domain_path(id);
  xenstore::NodeStore& store = session->store();
  listing.max_memory = known_memory(store, id, "static-max");
  listing.memory = known_memory(store, id, "target");
  for (std::uint32_t vcpu = 0; vcpu < row.info.max_vcpus; ++vcpu) {
    const auto value = store.read(home + "/cpu/" + std::to_string(vcpu) + "/availability");
    if (value && *value == "online") {
      listing.vcpus.push_back(vcpu);
    }
  }
  if (id == DomId(0)) {  // whose nodes libxl makes when it looks for them
    listing.max_memory = listing.max_memory.value_or(to_bytes(row.info.max_memory));
    listing.memory = listing.memory.value_or(to_bytes(row.info.memory));
  }
  XL_TRY_ASSIGN(listing.share, checked(session, session->hypervisor().scheduling(id)));
  return listing;
}

}  // namespace xl::toolstack
