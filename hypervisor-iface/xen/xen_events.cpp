// SPDX-License-Identifier: Apache-2.0
// Event channels and grants.
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

namespace xl::hv::xen {
namespace {

constexpr std::uint32_t entries_per_frame = page_size / sizeof(grant_entry_v1_t);
// More than any domain may have; Xen knows the exact number.
constexpr std::uint32_t most_frames = 1U << 16;

// A frame of a domain's grant table.
class GrantFrame {
 public:
  static Result<std::unique_ptr<GrantFrame>> map(std::shared_ptr<Handles> handles, DomId domain,
                                                 std::uint32_t frame) {
    const Listening listening;
    void* start = nullptr;
    xenforeignmemory_resource_handle* resource = xenforeignmemory_map_resource(
        handles->memory(), domain.value(), XENMEM_resource_grant_table,
        XENMEM_resource_grant_table_id_shared, frame, 1, &start, PROT_READ | PROT_WRITE, 0);
    if (resource == nullptr) {
      return listening.failure("mapping frame " + std::to_string(frame) +
                               " of the grant table of " + name_of(domain));
    }
    return std::make_unique<GrantFrame>(std::move(handles), resource, start);
  }
  GrantFrame(std::shared_ptr<Handles> handles, xenforeignmemory_resource_handle* resource,
             void* start)
      : handles_(std::move(handles)),
        resource_(resource),
        entries_(static_cast<grant_entry_v1_t*>(start)) {}
  GrantFrame(const GrantFrame&) = delete;
  GrantFrame& operator=(const GrantFrame&) = delete;
  ~GrantFrame() { xenforeignmemory_unmap_resource(handles_->memory(), resource_); }

  grant_entry_v1_t& entry(GrantRef ref) { return entries_[ref.value() % entries_per_frame]; }

 private:
  std::shared_ptr<Handles> handles_;
  xenforeignmemory_resource_handle* resource_;
  grant_entry_v1_t* entries_;
};

std::string grant_text(DomId domain, GrantRef ref) {
  return "grant reference " + std::to_string(ref.value()) + " of " + name_of(domain);
}

}  // namespace

Result<EventPort> XenHypervisor::event_alloc_unbound(DomId domain, DomId remote) {
  const Listening listening;
  const int port = xc_evtchn_alloc_unbound(xc(), domain.value(), remote.value());
  if (port < 0) {
    return listening.failure("making an event channel in " + name_of(domain) + " for " +
                             name_of(remote));
  }
  return EventPort(static_cast<std::uint32_t>(port));
}

Result<EventBinding> XenHypervisor::event_bind(DomId domain, EventPort remote_port) {
  return channels_.bind(domain, remote_port);
}

Result<void> XenHypervisor::event_close(EventPort local) {
  return channels_.close(local);
}

Result<std::vector<HostBinding>> XenHypervisor::event_bindings() {
  return channels_.bindings();
}

Result<void> XenHypervisor::event_notify(EventPort local) {
  return channels_.notify(local);
}

int XenHypervisor::event_fd() const {
  return changes_.fd();
}

Result<Hypervisor::Pending> XenHypervisor::take_events() {
  Pending pending;
  if (const auto moment = changes_.drain()) {
    XL_TRY_ASSIGN(const std::vector<xc_domaininfo_t> all, raw_list());
    changes_.seen(*moment, all);
  }
  Changes::Taken taken = changes_.take();
  for (const DomId domain : taken.gone) {
    channels_.close_all(domain);
    ram_.forget(domain);
    looks_.forget(domain);
  }
  XL_TRY_ASSIGN(pending.ports, channels_.take());
  pending.changed_domains = std::move(taken.changed);
  return pending;
}

// As libxenguest does for the console's and xenstore's reference: version 1, which every domain
// starts with.
Result<void> XenHypervisor::grant_seed(DomId domain, std::span<const GrantSeed> seeds) {
  std::map<std::uint32_t, std::unique_ptr<GrantFrame>> frames;
  for (const GrantSeed& seed : seeds) {
    const std::uint32_t frame = seed.ref.value() / entries_per_frame;
    if (frame >= most_frames || seed.frame.value() > 0xffffffff) {
      return fail(ErrorCode::invalid_argument,
                  grant_text(domain, seed.ref) + " is beyond any grant table");
    }
    if (frames.count(frame) == 0) {
      XL_TRY_ASSIGN(frames[frame], GrantFrame::map(handles_, domain, frame));
    }
  }
  for (const GrantSeed& seed : seeds) {
    grant_entry_v1_t& entry = frames[seed.ref.value() / entries_per_frame]->entry(seed.ref);
    entry.domid = seed.peer.value();
    entry.frame = static_cast<std::uint32_t>(seed.frame.value());
    std::atomic_thread_fence(std::memory_order_release);  // the flags make it valid
    entry.flags = GTF_permit_access;
  }
  return {};
}

// The kernel does not pass on why Xen refused a mapping; the entry tells.
Unexpected<Error> XenHypervisor::grant_failure(DomId domain, GrantRef ref) const {
  const std::uint32_t frame = ref.value() / entries_per_frame;
  const std::string text = grant_text(domain, ref);
  if (const auto raw = raw_info(domain); !raw) {
    return Unexpected(raw.error());
  }
  const auto invalid = [&] { return fail(ErrorCode::invalid_argument, text + " grants nothing"); };
  if (frame >= most_frames) {
    return invalid();
  }
  const auto table = GrantFrame::map(handles_, domain, frame);
  if (!table || ((*table)->entry(ref).flags & GTF_type_mask) == GTF_invalid) {
    return invalid();
  }
  const grant_entry_v1_t& entry = (*table)->entry(ref);
  return fail(ErrorCode::permission_denied, entry.domid != 0
                                                ? text + " is for " + name_of(DomId(entry.domid))
                                                : text + " cannot be mapped like this (flags " +
                                                      std::to_string(entry.flags) + ")");
}

Result<GuestMapping> XenHypervisor::grant_map(DomId domain, GrantRef ref, bool writable) {
  if (handles_->grants() == nullptr) {
    return fail(ErrorId::xen_not_usable, "this kernel maps no grants",
                "load the kernel's module xen-gntdev");
  }
  const Listening listening;
  void* start = xengnttab_map_grant_ref(handles_->grants(), domain.value(), ref.value(),
                                        writable ? PROT_READ | PROT_WRITE : PROT_READ);
  if (start == nullptr) {
    return grant_failure(domain, ref);
  }
  std::shared_ptr<void> keep_alive(
      start, [handles = handles_](void* mapped) { xengnttab_unmap(handles->grants(), mapped, 1); });
  const std::span bytes(static_cast<std::byte*>(start), page_size);
  return GuestMapping({{Gfn(0), bytes}}, std::move(keep_alive));
}

}  // namespace xl::hv::xen
