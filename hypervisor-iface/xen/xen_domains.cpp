// SPDX-License-Identifier: Apache-2.0
// Domains: make, end, pause, tell.
#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/scope_exit.hpp"
#include "hypervisor-iface/xen/failure.hpp"
#include "hypervisor-iface/xen/stand_in.hpp"
#include "hypervisor-iface/xen/xen_hypervisor.hpp"

extern "C" {
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
}

namespace xl::hv::xen {
namespace {

constexpr std::uint32_t most_vcpus = 128;
constexpr std::uint32_t most_event_channels = 1023;  // libxl's default
// What fits in a page goes through a buffer that libxenctrl keeps; a larger one is mapped for the
// call.
constexpr std::size_t first_list_batch = page_size / sizeof(xc_domaininfo_t);
constexpr std::size_t list_batch = 512;

xen_domctl_createdomain creation(const DomainOptions& options, std::uint32_t capabilities) {
  xen_domctl_createdomain create{};
  std::copy(options.handle.begin(), options.handle.end(), std::begin(create.handle));
  create.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_oos_off;
  create.max_vcpus = options.max_vcpus;
  create.max_evtchn_port = most_event_channels;
  create.max_grant_frames = -1;  // Xen's own limits
  create.max_maptrack_frames = -1;
  const unsigned grants = (capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2) != 0   ? 2
                          : (capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v1) != 0 ? 1
                                                                               : 0;
  create.grant_opts = XEN_DOMCTL_GRANT_version(grants);
  create.arch.emulation_flags = XEN_X86_EMU_LAPIC;
  return create;
}

// libxl's: room for 256 pages a vcpu and a page for each MiB.
std::uint64_t paging_pool_bytes(const DomainOptions& options) {
  const std::uint64_t mib = to_bytes(options.max_memory).count() >> 20;
  return (256ULL * options.max_vcpus + mib) * page_size;
}

}  // namespace

DomainHandle handle_of(const xc_domaininfo_t& raw) {
  DomainHandle handle;
  std::copy(std::begin(raw.handle), std::end(raw.handle), handle.begin());
  return handle;
}

Result<xc_domaininfo_t> XenHypervisor::raw_info(DomId domain) const {
  const Listening listening;
  xc_domaininfo_t raw{};
  const int found = xc_domain_getinfolist(xc(), domain.value(), 1, &raw);
  if (found < 0) {
    return listening.failure("telling about " + name_of(domain));
  }
  if (found == 0 || raw.domain != domain.value()) {
    return fail(ErrorId::no_such_domain, "no " + name_of(domain));
  }
  return raw;
}

Result<std::vector<xc_domaininfo_t>> XenHypervisor::raw_list() const {
  const Listening listening;
  std::vector<xc_domaininfo_t> all;
  std::uint32_t first = 1;
  for (std::size_t batch = first_list_batch;; batch = list_batch) {
    const std::size_t before = all.size();
    all.resize(before + batch);
    const int found =
        xc_domain_getinfolist(xc(), first, static_cast<std::uint32_t>(batch), &all[before]);
    if (found < 0) {
      return listening.failure("listing domains");
    }
    all.resize(before + static_cast<std::size_t>(found));
    if (static_cast<std::size_t>(found) < batch) {
      all.erase(std::remove_if(all.begin(), all.end(), is_stand_in), all.end());
      return all;
    }
    first = all.back().domain + 1U;
  }
}

Result<DomainInfo> XenHypervisor::to_info(const xc_domaininfo_t& raw) {
  DomainInfo info;
  info.id = DomId(raw.domain);
  info.handle = handle_of(raw);
  const auto is = [&](std::uint32_t flag) { return (raw.flags & flag) != 0; };
  info.paused = is(XEN_DOMINF_paused);
  info.dying = is(XEN_DOMINF_dying);
  info.blocked = is(XEN_DOMINF_blocked) && raw.nr_online_vcpus != 0;
  if (is(XEN_DOMINF_shutdown)) {
    const std::uint32_t reason = (raw.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
    info.shutdown = static_cast<ShutdownReason>(reason);
  }
  info.running = is(XEN_DOMINF_running) ||
                 (!is(XEN_DOMINF_blocked) && !info.paused && !info.dying && !info.shutdown);
  info.memory = Pages(raw.tot_pages);
  info.max_memory = Pages(raw.max_pages);
  info.cpu_time = Nanoseconds(raw.cpu_time);
  info.vcpus_online = raw.nr_online_vcpus;
  info.max_vcpus = raw.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID ? 0 : raw.max_vcpu_id + 1;
  if (is(XEN_DOMINF_hvm_guest) && !info.dying && !ram_.is_all_populated(info.id, info.handle)) {
    const auto pod = pod_state(info.id);
    if (pod) {
      info.memory -= pod->cache;  // Xen counts it as the domain's
      info.on_demand = pod->cache;
      // Built, and nothing promised: it stays so.
      if (pod->entries == Pages(0) && pod->cache == Pages(0) && raw.cpu_time != 0) {
        ram_.note_all_populated(info.id, info.handle);
      }
    }
  }
  return info;
}

Result<DomainInfo> XenHypervisor::domain_info(DomId domain) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  return to_info(raw);
}

Result<std::vector<DomainInfo>> XenHypervisor::list_domains() {
  XL_TRY_ASSIGN(const std::vector<xc_domaininfo_t> raw, raw_list());
  std::vector<DomainInfo> all;
  all.reserve(raw.size());
  for (const xc_domaininfo_t& each : raw) {
    XL_TRY_ASSIGN(DomainInfo info, to_info(each));
    all.push_back(std::move(info));
  }
  return all;
}

Result<void> XenHypervisor::set_up_domain(DomId domain, const DomainOptions& options) {
  const Listening listening;
  if (xc_domain_max_vcpus(xc(), domain.value(), options.max_vcpus) != 0) {
    return listening.failure("giving " + name_of(domain) + " " + std::to_string(options.max_vcpus) +
                             " vcpus");
  }
  XL_TRY(set_max_memory(domain, options.max_memory));
  const std::uint64_t pool = paging_pool_bytes(options);
  if (xc_set_paging_mempool_size(xc(), domain.value(), pool) != 0) {
    return listening.failure("setting " + std::to_string(pool >> 10) +
                             " KiB aside for the page tables of " + name_of(domain));
  }
  if (xc_hvm_param_set(xc(), domain.value(), HVM_PARAM_TIMER_MODE,
                       HVMPTM_no_delay_for_missed_ticks) != 0) {
    return listening.failure("setting the timer mode of " + name_of(domain));
  }
  return cpu_policy_.apply_default(*handles_, domain);
}

Result<DomId> XenHypervisor::create_domain(const DomainOptions& options) {
  if (options.max_vcpus < 1 || options.max_vcpus > most_vcpus) {
    return fail(ErrorCode::invalid_argument, std::to_string(options.max_vcpus) +
                                                 " vcpus: a domain has 1 to " +
                                                 std::to_string(most_vcpus));
  }
  if ((host_.capabilities & XEN_SYSCTL_PHYSCAP_hap) == 0) {
    return fail(ErrorId::xen_not_usable,
                "Xen has no hardware-assisted paging here, which PVH domains need",
                "enable VT-x with EPT or AMD-V in the firmware, and leave hap=0 out of Xen's "
                "command line");
  }
  const Listening listening;
  xen_domctl_createdomain create = creation(options, host_.capabilities);
  std::uint32_t id = 0;  // Xen's choice
  if (xc_domain_create(xc(), &id, &create) != 0) {
    return listening.failure("creating a domain with " + std::to_string(options.max_vcpus) +
                             " vcpus");
  }
  const DomId domain(static_cast<std::uint16_t>(id));
  ScopeExit undo([&] { xc_domain_destroy(xc(), id); });
  XL_TRY(set_up_domain(domain, options));
  undo.release();
  ram_.begin(domain, options.handle);
  changes_.created(domain, options.handle);
  return domain;
}

// Xen goes on with a large one by itself until all is freed.
Result<void> XenHypervisor::destroy_domain(DomId domain) {
  XL_TRY(raw_info(domain));
  const Listening listening;
  while (xc_domain_destroy(xc(), domain.value()) != 0) {
    if (errno != EAGAIN && errno != EINTR && errno != EBUSY) {
      return listening.failure("destroying " + name_of(domain));
    }
  }
  channels_.close_all(domain);
  ram_.forget(domain);
  looks_.forget(domain);
  changes_.destroyed(domain);
  return {};
}

Result<void> XenHypervisor::pause(DomId domain) {
  const Listening listening;
  return xc_domain_pause(xc(), domain.value()) == 0
             ? Result<void>()
             : listening.failure("pausing " + name_of(domain));
}

Result<void> XenHypervisor::unpause(DomId domain) {
  const Listening listening;
  return xc_domain_unpause(xc(), domain.value()) == 0
             ? Result<void>()
             : listening.failure("unpausing " + name_of(domain));
}

Result<void> XenHypervisor::shutdown_domain(DomId domain, ShutdownReason reason) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  const Listening listening;
  if (xc_domain_shutdown(xc(), domain.value(), static_cast<int>(reason)) != 0) {
    return listening.failure("shutting down " + name_of(domain));
  }
  changes_.shut_down(domain, handle_of(raw));
  return {};
}

Result<void> XenHypervisor::resume_domain(DomId domain) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  if ((raw.flags & XEN_DOMINF_shutdown) == 0) {
    return fail(ErrorCode::invalid_argument, name_of(domain) + " has not shut down");
  }
  const Listening listening;
  changes_.resumed(domain);
  const int plain = 0;  // the guest's registers stay as they are
  return xc_domain_resume(xc(), domain.value(), plain) == 0
             ? Result<void>()
             : listening.failure("resuming " + name_of(domain));
}

// Xen lets the domain run on after the reset; it is held by a pause until it is shut down again.
Result<void> XenHypervisor::soft_reset(DomId domain) {
  XL_TRY_ASSIGN(const xc_domaininfo_t raw, raw_info(domain));
  const bool was_shut_down = (raw.flags & XEN_DOMINF_shutdown) != 0;
  if (!was_shut_down && (raw.flags & XEN_DOMINF_paused) == 0) {
    return fail(ErrorCode::invalid_argument, name_of(domain) + " runs");
  }
  XL_TRY(pause(domain));
  const ScopeExit let_go([&] { xc_domain_unpause(xc(), domain.value()); });
  const Listening listening;
  if (!was_shut_down && xc_domain_shutdown(xc(), domain.value(), SHUTDOWN_soft_reset) != 0) {
    return listening.failure("stopping " + name_of(domain) + " for a soft reset");
  }
  const int done = xc_domain_soft_reset(xc(), domain.value());
  const int why = errno;
  if (was_shut_down) {
    const auto reason = (raw.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
    if (xc_domain_shutdown(xc(), domain.value(), static_cast<int>(reason)) != 0) {
      return listening.failure("keeping " + name_of(domain) + " shut down after a soft reset");
    }
  }
  if (done != 0) {
    return listening.failure(why, "resetting " + name_of(domain));
  }
  channels_.close_all(domain);
  return {};
}

}  // namespace xl::hv::xen
