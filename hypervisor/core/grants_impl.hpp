// SPDX-License-Identifier: Apache-2.0
// Definitions of Grants<P>.
#pragma once

#include "hypervisor/core/grants.hpp"

namespace hyp {

// --- the table's entries ---

template <typename P>
std::byte* Grants<P>::entry_bytes(Domain<P>& domain, std::uint32_t ref) {
  const bool v2 = domain.grants.version() == 2;
  const std::uint32_t per_frame = v2 ? GrantTable<P>::v2_per_frame : GrantTable<P>::v1_per_frame;
  return core_.platform.frame(domain.grants.frame(ref / per_frame)) +
         ref % per_frame * (v2 ? sizeof(grant_entry_v2_t) : sizeof(grant_entry_v1_t));
}

template <typename P>
GrantEntry Grants<P>::entry(Domain<P>& domain, std::uint32_t ref) {
  constexpr std::uint32_t status_per_frame = xl::page_size / sizeof(grant_status_t);
  std::byte* status = nullptr;
  if (domain.grants.version() == 2) {
    status = core_.platform.frame(domain.grants.status_frame(ref / status_per_frame)) +
             ref % status_per_frame * sizeof(grant_status_t);
  }
  return GrantEntry(entry_bytes(domain, ref), status);
}

template <typename P>
Result<void> Grants<P>::seed(Domain<P>& domain, const xl::abi::GrantSeedRecord& record) {
  Guard guard(domain.memory_lock);
  if (domain.grants.version() != 1 || record.ref >= domain.grants.entries() ||
      record.peer > last_domain_id || record.gfn > ~0U) {
    return fail(Errno::inval);
  }
  XL_TRY(memory_.ram_frame(domain, Gfn(record.gfn)));
  std::byte* const at = entry_bytes(domain, record.ref);
  shared_word::store<std::uint32_t>(at + offsetof(grant_entry_v1_t, frame),
                                    static_cast<std::uint32_t>(record.gfn));
  shared_word::store<std::uint32_t>(at, GTF_permit_access | record.peer << 16);
  return {};
}

template <typename P>
GrantResult<GrantedFrame> Grants<P>::acquire_locked(Domain<P>& granter, std::uint32_t ref,
                                                    DomId peer, bool writing, bool whole_page) {
  if (granter.dying.load()) {
    return refuse(GrantError::bad_domain);
  }
  if (ref >= granter.grants.entries()) {
    return refuse(GrantError::bad_ref);
  }
  const Result<ActiveGrant*> slot =
      granter.grants.active(ref, [&] { return core_.alloc_bytes(&granter); });
  if (!slot) {
    return refuse(GrantError::no_space);
  }
  ActiveGrant& active = **slot;
  const GrantEntry shared = entry(granter, ref);
  const GrantTerms terms = shared.read();
  const bool sub_page = (terms.flags & GTF_sub_page) != 0 && granter.grants.version() == 2;
  if (terms.type() != GTF_permit_access || (sub_page && whole_page)) {
    return refuse(GrantError::not_granted);
  }
  if (terms.domain != peer.value()) {
    return refuse(GrantError::not_peer);
  }
  if (writing && terms.read_only()) {
    return refuse(GrantError::read_only);
  }
  // What is in use already stays what it was, whatever the entry says now.
  Mfn mfn(active.mfn);
  if (!active.used()) {
    const Result<Mfn> frame = memory_.ram_frame(granter, Gfn(terms.gfn));
    if (!frame) {
      return refuse(GrantError::bad_frame);
    }
    mfn = *frame;
  }
  if (active.readers == 0xffff || active.writers == 0xffff) {
    return refuse(GrantError::no_space);
  }
  if (!shared.mark(terms, writing)) {
    shared.clear(!active.used(), writing && active.writers == 0);
    return refuse(GrantError::not_granted);
  }
  if (!active.used()) {
    active.mfn = mfn.value();
    granter.grants.count_active(1);
  }
  ++(writing ? active.writers : active.readers);
  return GrantedFrame{mfn, sub_page ? terms.offset : 0U, sub_page ? terms.length : 4096U};
}

template <typename P>
void Grants<P>::release_locked(Domain<P>& granter, std::uint32_t ref, bool writing) {
  ActiveGrant& active = *granter.grants.find_active(ref);
  --(writing ? active.writers : active.readers);
  entry(granter, ref).clear(!active.used(), active.writers == 0);
  if (!active.used()) {
    active = ActiveGrant{};
    granter.grants.count_active(-1);
    if (granter.grants.active_count() == 0 && granter.held_by_grants) {
      granter.held_by_grants = false;
      reaper_.add_domain_again(granter);
    }
  }
}

template <typename P>
GrantResult<GrantedFrame> Grants<P>::acquire(Domain<P>& granter, std::uint32_t ref, DomId peer,
                                             bool writing, bool whole_page) {
  Guard guard(granter.memory_lock);
  return acquire_locked(granter, ref, peer, writing, whole_page);
}

template <typename P>
void Grants<P>::release(Domain<P>& granter, std::uint32_t ref, bool writing) {
  Guard guard(granter.memory_lock);
  release_locked(granter, ref, writing);
}

// --- mappings of guests ---

template <typename P>
GrantResult<std::uint32_t> Grants<P>::map_locked(Domain<P>& mapper, Domain<P>& granter,
                                                 std::uint32_t ref, Gfn gfn, bool writing) {
  const Result<std::uint32_t> handle =
      mapper.grants.take_track([&] { return core_.alloc_bytes(&mapper); });
  if (!handle) {
    return refuse(GrantError::no_space);
  }
  GrantResult<GrantedFrame> frame = acquire_locked(granter, ref, mapper.id, writing, true);
  if (!frame) {
    mapper.grants.release_track(*handle);
    return refuse(frame.error());
  }
  const Result<void> mapped = memory_.map_grant(mapper, gfn, frame->mfn, writing);
  if (!mapped) {
    release_locked(granter, ref, writing);
    mapper.grants.release_track(*handle);
    return refuse(mapped.error() == Errno::nomem ? GrantError::no_space : GrantError::bad_address);
  }
  MapTrack<P>& track = *mapper.grants.find_track(*handle);
  track = MapTrack<P>{&granter, gfn.value(), ref, writing ? std::uint16_t{1} : std::uint16_t{0}, 1};
  return *handle;
}

template <typename P>
GrantResult<std::uint32_t> Grants<P>::map(Domain<P>& mapper, Domain<P>& granter, std::uint32_t ref,
                                          Gfn gfn, bool writing) {
  GuardBoth<P> guard(mapper, granter);
  return map_locked(mapper, granter, ref, gfn, writing);
}

// The granter is only known from the track, under the mapper's lock: look, lock both, look again.
template <typename P>
GrantResult<void> Grants<P>::unmap(Domain<P>& mapper, std::uint32_t handle, Gfn gfn) {
  Domain<P>* granter = nullptr;
  {
    Guard guard(mapper.memory_lock);
    const MapTrack<P>* const track = mapper.grants.find_track(handle);
    if (track == nullptr) {
      return refuse(GrantError::bad_handle);
    }
    granter = track->granter;
  }
  GuardBoth<P> guard(mapper, *granter);
  const MapTrack<P>* const found = mapper.grants.find_track(handle);
  if (found == nullptr || found->granter != granter) {
    return refuse(GrantError::bad_handle);
  }
  const MapTrack<P> track = *found;
  if (track.gfn != gfn.value()) {
    return refuse(GrantError::bad_address);
  }
  if (!memory_.unmap_grant(mapper, gfn)) {
    return refuse(GrantError::no_space);
  }
  mapper.grants.release_track(handle);
  release_locked(*granter, track.ref, track.writable != 0);
  return {};
}

// Nobody walks the dying domain's physmap any more: its entries go with it.
template <typename P>
bool Grants<P>::drop_mappings(Domain<P>& domain, unsigned count) {
  for (; count > 0; --count) {
    const std::uint32_t handle = domain.grants.next_track(0);
    if (handle == ~0U) {
      return false;
    }
    const MapTrack<P> track = *domain.grants.find_track(handle);
    domain.grants.release_track(handle);
    release(*track.granter, track.ref, track.writable != 0);
  }
  return true;
}

template <typename P>
bool Grants<P>::is_held(Domain<P>& domain) {
  Guard guard(domain.memory_lock);
  domain.held_by_grants = domain.grants.active_count() != 0;
  return domain.held_by_grants;
}

// --- domain 0's mappings ---

template <typename P>
Result<std::uint32_t> Grants<P>::take_host_track() {
  GrantTable<P>& table = core_.host_grants;
  const auto frame = [&] { return core_.alloc_bytes(nullptr); };
  if (const Result<std::uint32_t> handle = table.take_track(frame)) {
    return *handle;
  }
  // A host that was started anew does not give back what it does not know of.
  for (std::uint32_t handle = table.next_track(0); handle != ~0U;
       handle = table.next_track(handle + 1)) {
    if (table.find_track(handle)->granter == nullptr) {
      table.release_track(handle);
    }
  }
  return table.take_track(frame);
}

template <typename P>
GrantResult<HostGrant> Grants<P>::host_map(Domain<P>& granter, std::uint32_t ref, bool writing) {
  const Result<std::uint32_t> handle = take_host_track();
  if (!handle) {
    return refuse(GrantError::no_space);
  }
  const GrantResult<GrantedFrame> frame = acquire(granter, ref, DomId(), writing, true);
  if (!frame) {
    core_.host_grants.release_track(*handle);
    return refuse(frame.error());
  }
  *core_.host_grants.find_track(*handle) =
      MapTrack<P>{&granter, 0, ref, writing ? std::uint16_t{1} : std::uint16_t{0}, 1};
  return HostGrant{frame->mfn, *handle};
}

template <typename P>
GrantResult<void> Grants<P>::host_unmap(std::uint64_t handle) {
  const MapTrack<P>* const found =
      handle > ~0U ? nullptr : core_.host_grants.find_track(static_cast<std::uint32_t>(handle));
  if (found == nullptr) {
    return refuse(GrantError::bad_handle);
  }
  const MapTrack<P> track = *found;
  core_.host_grants.release_track(static_cast<std::uint32_t>(handle));
  if (track.granter != nullptr) {
    release(*track.granter, track.ref, track.writable != 0);
  }
  return {};
}

template <typename P>
void Grants<P>::drop_host_mappings(const Domain<P>& granter) {
  GrantTable<P>& table = core_.host_grants;
  for (std::uint32_t handle = table.next_track(0); handle != ~0U;
       handle = table.next_track(handle + 1)) {
    MapTrack<P>& track = *table.find_track(handle);
    if (track.granter == &granter) {
      release(*track.granter, track.ref, track.writable != 0);
      track.granter = nullptr;
    }
  }
}

template <typename P>
bool Grants<P>::end_host_mappings(unsigned count) {
  for (; count > 0; --count) {
    const std::uint32_t handle = core_.host_grants.next_track(0);
    if (handle == ~0U) {
      return false;
    }
    (void)host_unmap(handle).has_value();
  }
  return true;
}

// --- the table as a whole ---

// Entries of one version mean nothing in the other: all but the toolstack's reserved ones are
// dropped.
template <typename P>
Result<void> Grants<P>::set_version(Domain<P>& domain, unsigned version) {
  Guard guard(domain.memory_lock);
  GrantTable<P>& table = domain.grants;
  if (version != 1 && version != 2) {
    return fail(Errno::inval);
  }
  if (version == table.version()) {
    return {};
  }
  if (table.active_count() != 0) {
    return fail(Errno::busy);
  }
  std::array<GrantTerms, GNTTAB_NR_RESERVED_ENTRIES> kept;
  for (std::uint32_t ref = 0; ref < kept.size(); ++ref) {
    kept[ref] = entry(domain, ref).read();
  }
  const unsigned before = table.version();
  table.set_version(version);
  if (Result<void> grown =
          table.grow(table.frame_count(), [&] { return core_.alloc_pages(&domain, 0); });
      !grown) {
    table.set_version(before);
    return grown;
  }
  for (unsigned i = 0; i < table.frame_count(); ++i) {
    std::memset(core_.platform.frame(table.frame(i)), 0, xl::page_size);
  }
  for (std::uint32_t ref = 0; ref < kept.size(); ++ref) {
    std::byte* const at = entry_bytes(domain, ref);
    if (version == 1) {
      shared_word::store<std::uint32_t>(at + offsetof(grant_entry_v1_t, frame),
                                        static_cast<std::uint32_t>(kept[ref].gfn));
    } else {
      shared_word::store<std::uint64_t>(at + offsetof(grant_entry_v2_t, full_page.frame),
                                        kept[ref].gfn);
    }
    shared_word::store<std::uint32_t>(at, kept[ref].word);
  }
  return {};
}

template <typename P>
void Grants<P>::reset(Domain<P>& domain) {
  // To version 2 and back drops all but the reserved entries; each needs no frame that is not
  // there.
  if (domain.grants.version() == 1 && !set_version(domain, 2)) {
    return;
  }
  (void)set_version(domain, 1).has_value();
}

template <typename P>
GrantResult<void> Grants<P>::swap(Domain<P>& domain, std::uint32_t a, std::uint32_t b) {
  Guard guard(domain.memory_lock);
  if (a >= domain.grants.entries() || b >= domain.grants.entries()) {
    return refuse(GrantError::bad_ref);
  }
  for (const std::uint32_t ref : {a, b}) {
    const ActiveGrant* const active = domain.grants.find_active(ref);
    if (active != nullptr && active->used()) {
      return refuse(GrantError::no_space);
    }
  }
  const std::size_t size = domain.grants.version() == 2 ? 16 : 8;
  std::byte held[16];
  std::memcpy(held, entry_bytes(domain, a), size);
  std::memcpy(entry_bytes(domain, a), entry_bytes(domain, b), size);
  std::memcpy(entry_bytes(domain, b), held, size);
  return {};
}

}  // namespace hyp
