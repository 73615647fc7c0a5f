// SPDX-License-Identifier: Apache-2.0
// Changing the number of vcpus of a running domain: cpu/N/availability in its xenstore says which
// it is to have, its kernel follows (docs/misc/xenstore-paths of Xen; drivers/xen/cpu_hotplug.c of
// Linux), and the hypervisor tells when a vcpu has come or gone.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libxl++/toolstack/engine.hpp"
#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {
namespace {

using Clock = std::chrono::steady_clock;

// A backend that does not tell of single vcpus is asked so often.
constexpr auto look_again = std::chrono::seconds(1);

std::string availability_path(DomId id, std::uint32_t vcpu) {
  return fmt::format("{}/cpu/{}/availability", xenstore::domain_path(id), vcpu);
}

std::vector<xenstore::NodeSpec> availability(DomId id, std::uint32_t online, std::uint32_t max) {
  std::vector<xenstore::NodeSpec> nodes;
  for (std::uint32_t vcpu = 0; vcpu < max; ++vcpu) {
    nodes.push_back({availability_path(id, vcpu), vcpu < online ? "online" : "offline", nullptr});
  }
  return nodes;
}

Result<void> check_wish(const Domain& domain, const VcpuRequest& request, std::uint32_t max,
                        unsigned host_cpus, std::uint32_t online_now) {
  const bool is_host = domain.id == DomId(0);
  const std::string name = domain.claim.name();
  if (request.vcpus == 0) {
    return fail(
        ErrorId::vcpus_out_of_range, "a domain keeps at least one vcpu",
        is_host ? "" : fmt::format("`xl pause {0}` stops it, `xl shutdown {0}` ends it", name));
  }
  if (request.vcpus > max) {
    return fail(ErrorId::vcpus_out_of_range,
                fmt::format("domain '{}' can have at most {} vcpu{}, not {}", name, max,
                            max == 1 ? "" : "s", request.vcpus),
                is_host ? "dom0_max_vcpus= on Xen's command line says how many"
                        : fmt::format("maxvcpus={} or more in its config, from its next create on",
                                      request.vcpus));
  }
  if (!request.ignore_host && request.vcpus > host_cpus && request.vcpus > online_now) {
    return fail(
        ErrorId::vcpus_out_of_range,
        fmt::format("{} vcpus are more than the {} CPUs of the host", request.vcpus, host_cpus),
        "-i (--ignore-host) if that is meant");
  }
  return {};
}

}  // namespace

// Says the wish again when nothing moves. Linux announces a plugged cpu a moment before it lets
// anybody put it to use (cpu_hotplug.c, enable_hotplug_cpu): a udev rule that is quicker fails, and
// nothing tries again. So what still does not come is taken back and offered once more.
class Engine::VcpuOffer {
 public:
  VcpuOffer(const Domain& domain, std::uint32_t wanted, std::uint32_t max)
      : domain_(domain), wanted_(wanted), max_(max) {}

  Clock::time_point next() const { return next_; }
  void look(std::uint32_t online, Clock::time_point now) {
    if (online != online_) {
      online_ = online;
      stalls_ = 0;
      next_ = now + stall;
    } else if (now >= next_) {
      ++stalls_;
      const bool take_back = online < wanted_ && stalls_ % 3 == 2;
      (void)domain_.session->store().write(take_back ? missing_offline()
                                                     : availability(domain_.id, wanted_, max_));
      next_ = now + (take_back ? gap : stall);
    }
  }

 private:
  static constexpr auto stall = std::chrono::milliseconds(1000);
  static constexpr auto gap = std::chrono::milliseconds(300);  // for the guest to look

  std::vector<xenstore::NodeSpec> missing_offline() const {
    std::vector<xenstore::NodeSpec> nodes;
    for (std::uint32_t vcpu = 0; vcpu < wanted_; ++vcpu) {
      const auto state = domain_.session->hypervisor().vcpu_info(domain_.id, VcpuId(vcpu));
      if (state && !state->online) {
        nodes.push_back({availability_path(domain_.id, vcpu), "offline", nullptr});
      }
    }
    return nodes;
  }

  const Domain& domain_;
  const std::uint32_t wanted_;
  const std::uint32_t max_;
  std::uint32_t online_ = 0;
  unsigned stalls_ = 0;
  Clock::time_point next_ = Clock::now() + stall;
};

// What the guest makes of it.
Result<VcpuState> Engine::await_vcpus(const DomainRef& domain, const VcpuRequest& request,
                                      std::uint32_t max, std::uint64_t number,
                                      const std::stop_token& cancel) {
  const Clock::time_point deadline = Clock::now() + request.timeout;
  VcpuOffer offer(*domain, request.vcpus, max);
  for (;;) {
    const std::uint64_t rings = domain->vcpu_bell.rings();
    XL_TRY_ASSIGN(const hv::DomainInfo info,
                  checked(domain->session, domain->session->hypervisor().domain_info(domain->id)));
    const VcpuState state{info.vcpus_online, info.max_vcpus};
    if (state.online == request.vcpus) {
      return state;
    }
    if (info.shutdown) {
      return fail(ErrorId::domain_shut_down, "the domain has shut down meanwhile",
                  "`xl destroy` frees it");
    }
    if (domain->vcpu_requests.load() != number) {
      return fail(ErrorId::overtaken, "another change of its vcpus came in between",
                  "`xl vcpu-list` shows what is now");
    }
    if (cancel.stop_requested()) {
      return fail(ErrorId::cancelled, "cancelled");
    }
    const Clock::time_point now = Clock::now();
    if (now >= deadline) {
      return late(*domain, request, state);
    }
    offer.look(state.online, now);
    domain->vcpu_bell.wait(
        rings, std::min({deadline, offer.next(), Clock::time_point(now + look_again)}), cancel);
  }
}

// A kernel without the driver never follows, so that the request is withdrawn; another one may
// have got half-way and go on.
Unexpected<Error> Engine::late(const Domain& domain, const VcpuRequest& request,
                               const VcpuState& state) {
  const std::string waited =
      fmt::format("{:g} s", std::chrono::duration<double>(request.timeout).count());
  const std::string directory = xenstore::domain_path(domain.id) + "/cpu";
  if (!domain.session->store().may_be_watched(domain.id, directory)) {
    (void)domain.session->store().write(availability(domain.id, state.online, state.max));
    return fail(ErrorId::guest_no_answer,
                fmt::format("its kernel does not look at cpu/N/availability, also not after {}: it "
                            "has no driver for that, or has not come up yet; still {} online",
                            waited, state.online),
                "Linux needs CONFIG_XEN and CONFIG_HOTPLUG_CPU");
  }
  // The request stands.
  (void)domain.session->store().write(availability(domain.id, request.vcpus, state.max));
  return fail(
      ErrorId::vcpus_late,
      fmt::format("after {} {} of {} vcpus are online", waited, state.online, request.vcpus),
      state.online < request.vcpus
          ? "its kernel knows the new vcpus, but something in it has to write 1 to "
            "/sys/devices/system/cpu/cpuN/online, as a udev rule; see xl(1), vcpu-set"
          : "its kernel has been told; it may keep a vcpu that something is bound to");
}

Result<VcpuState> Engine::set_vcpus(DomId id, const VcpuRequest& request, std::stop_token cancel) {
  XL_TRY_ASSIGN(const DomainRef domain, answering_domain(id));
  hv::Hypervisor& hypervisor = domain->session->hypervisor();
  XL_TRY_ASSIGN(const hv::DomainInfo before, checked(domain->session, hypervisor.domain_info(id)));
  XL_TRY_ASSIGN(const hv::HostInfo host, checked(domain->session, hypervisor.host_info()));
  const std::string name = domain->claim.name();
  XL_TRY(check_wish(*domain, request, before.max_vcpus, host.cpus, before.vcpus_online));
  const std::uint64_t number = domain->vcpu_requests.fetch_add(1) + 1;
  domain->vcpu_bell.ring();  // an earlier request ends here
  XL_TRY(domain->session->store().write(availability(id, request.vcpus, before.max_vcpus)));
  auto state = await_vcpus(domain, request, before.max_vcpus, number, cancel);
  if (!state) {
    return Unexpected(std::move(state).error().while_doing(fmt::format(
        "giving domain '{}' {} vcpu{}", name, request.vcpus, request.vcpus == 1 ? "" : "s")));
  }
  bool is_new = before.vcpus_online != state->online;
  {
    const std::lock_guard lock(domain->lifecycle);
    is_new = is_new || domain->plan.config.vcpus != request.vcpus;
    domain->plan.config.vcpus = request.vcpus;  // a restart brings it back as it is now
    save(*domain);
  }
  if (is_new) {
    emit(LifecycleEvent::Kind::vcpus, id, name, {},
         {{"online", std::uint64_t{state->online}}, {"max", std::uint64_t{state->max}}});
  }
  return state;
}

}  // namespace xl::toolstack
