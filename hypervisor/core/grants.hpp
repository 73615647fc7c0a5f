// SPDX-License-Identifier: Apache-2.0
// Grants<P>: operations on grant tables.
#pragma once

#include "hypervisor/core/core.hpp"
#include "hypervisor/core/memory.hpp"

namespace hyp {

// A grant that domain 0 has mapped.
struct HostGrant {
  Mfn mfn;
  std::uint64_t handle = 0;
};

template <typename P>
class Grants {
 public:
  constexpr Grants(Core<P>& core, Memory<P>& memory) : core_(core), memory_(memory) {}

  // The toolstack's entries, before the domain runs: permit access for `peer` to `gfn`.
  Result<void> seed(Domain<P>& domain, const xl::abi::GrantSeedRecord& record) {
    Guard guard(domain.memory_lock);
    if (record.ref >= domain.grants.entries() || record.peer > last_domain_id) {
      return fail(Errno::inval);
    }
    XL_TRY(memory_.ram_frame(domain, Gfn(record.gfn)));
    grant_entry_v1_t& entry = v1_entry(domain, record.ref);
    entry.frame = static_cast<std::uint32_t>(record.gfn);
    entry.domid = static_cast<domid_t>(record.peer);
    shared_word::store<std::uint16_t>(&entry.flags, GTF_permit_access);
    return {};
  }

  Result<HostGrant> host_map(Domain<P>&, std::uint32_t, bool) { return fail(Errno::nosys); }
  Result<void> host_unmap(std::uint64_t) { return fail(Errno::nosys); }

  // Unmaps what a dying domain has mapped of others; true: there is more.
  bool drop_mappings(Domain<P>&, unsigned) { return false; }

 private:
  grant_entry_v1_t& v1_entry(Domain<P>& domain, std::uint32_t ref) {
    const Mfn frame = domain.grants.frame(ref / GrantTable<P>::v1_per_frame);
    // SAFETY: a shared frame is an array of entries; the index lies inside.
    return reinterpret_cast<grant_entry_v1_t*>(
        core_.platform.frame(frame))[ref % GrantTable<P>::v1_per_frame];
  }

  Core<P>& core_;
  Memory<P>& memory_;
};

}  // namespace hyp
