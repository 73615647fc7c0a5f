// SPDX-License-Identifier: Apache-2.0
// Grants<P>: what domains do with each other's granted frames: map, copy, give back. Domain 0 maps
// too, into its own process. Where two domains are involved their memory_locks are taken in the
// order of their addresses.
#pragma once

#include "hypervisor/core/core.hpp"
#include "hypervisor/core/grant_entry.hpp"
#include "hypervisor/core/memory.hpp"

namespace hyp {

enum class GrantError : std::uint8_t {
  bad_domain,   // no such domain, or it is being destroyed
  bad_ref,      // beyond the table
  not_granted,  // the entry is not in use, or of another kind
  not_peer,     // granted to somebody else
  read_only,    // and writing was asked for
  bad_frame,    // the entry names no RAM
  bad_address,  // where to map, or the offset of a copy
  bad_handle,
  no_space,  // too many mappings, or no frame for them
};

template <typename T>
using GrantResult = xl::Result<T, GrantError>;
constexpr xl::Unexpected<GrantError> refuse(GrantError error) {
  return xl::Unexpected(error);
}

// A grant that domain 0 has mapped.
struct HostGrant {
  Mfn mfn;
  std::uint32_t handle = 0;
};

// A frame that is held by an active reference, and the part of it that is granted.
struct GrantedFrame {
  Mfn mfn;
  std::uint32_t offset = 0;
  std::uint32_t length = 4096;
};

template <typename P>
class Grants {
 public:
  constexpr Grants(Core<P>& core, Memory<P>& memory, Reaper<P>& reaper)
      : core_(core), memory_(memory), reaper_(reaper) {}

  // The toolstack's entries, before the domain runs: permit access for `peer` to `gfn`.
  Result<void> seed(Domain<P>& domain, const xl::abi::GrantSeedRecord& record);

  // Takes a reference into use for `peer`; whole_page: sub-page grants are refused. Ends with
  // release(). Takes the granter's memory_lock.
  GrantResult<GrantedFrame> acquire(Domain<P>& granter, std::uint32_t ref, DomId peer, bool writing,
                                    bool whole_page);
  void release(Domain<P>& granter, std::uint32_t ref, bool writing);

  // Maps into `mapper` at gfn; the handle. Unmap with the same gfn.
  GrantResult<std::uint32_t> map(Domain<P>& mapper, Domain<P>& granter, std::uint32_t ref, Gfn gfn,
                                 bool writing);
  GrantResult<void> unmap(Domain<P>& mapper, std::uint32_t handle, Gfn gfn);

  // Domain 0's mappings; by the host server only.
  GrantResult<HostGrant> host_map(Domain<P>& granter, std::uint32_t ref, bool writing);
  GrantResult<void> host_unmap(std::uint64_t handle);
  // Ends what domain 0 still has mapped of a domain that goes. The handles stay taken until
  // host_unmap.
  void drop_host_mappings(const Domain<P>& granter);
  // Ends up to `count` of all of domain 0's mappings, handles included; true: there is more.
  bool end_host_mappings(unsigned count);

  // Unmaps up to `count` of what a dying domain has mapped of others; true: there is more.
  bool drop_mappings(Domain<P>& domain, unsigned count);
  // True if others still use what a dying domain granted. Then the last release() hands it to the
  // reaper again.
  bool is_held(Domain<P>& domain);

  Result<void> set_version(Domain<P>& domain, unsigned version);
  // Version 1, and no entry but the toolstack's reserved ones; nothing changes while somebody uses
  // one of them.
  void reset(Domain<P>& domain);
  GrantResult<void> swap(Domain<P>& domain, std::uint32_t a, std::uint32_t b);

 private:
  Result<std::uint32_t> take_host_track();
  GrantEntry entry(Domain<P>& domain, std::uint32_t ref);
  std::byte* entry_bytes(Domain<P>& domain, std::uint32_t ref);
  GrantResult<GrantedFrame> acquire_locked(Domain<P>& granter, std::uint32_t ref, DomId peer,
                                           bool writing, bool whole_page);
  void release_locked(Domain<P>& granter, std::uint32_t ref, bool writing);
  GrantResult<std::uint32_t> map_locked(Domain<P>& mapper, Domain<P>& granter, std::uint32_t ref,
                                        Gfn gfn, bool writing);

  Core<P>& core_;
  Memory<P>& memory_;
  Reaper<P>& reaper_;
};

// The memory_locks of two domains, which may be one.
template <typename P>
class [[nodiscard]] GuardBoth {
 public:
  GuardBoth(Domain<P>& a, Domain<P>& b) : first_(&a < &b ? a : b), second_(&a < &b ? b : a) {
    first_.memory_lock.lock();
    if (&first_ != &second_) {
      second_.memory_lock.lock();
    }
  }
  GuardBoth(const GuardBoth&) = delete;
  GuardBoth& operator=(const GuardBoth&) = delete;
  ~GuardBoth() {
    if (&first_ != &second_) {
      second_.memory_lock.unlock();
    }
    first_.memory_lock.unlock();
  }

 private:
  Domain<P>& first_;
  Domain<P>& second_;
};

}  // namespace hyp

#include "hypervisor/core/grants_impl.hpp"
