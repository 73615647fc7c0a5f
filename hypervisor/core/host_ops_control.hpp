// SPDX-License-Identifier: Apache-2.0
// HostOps<P>: what reaches a domain from outside while it runs, or after it has stopped: triggers,
// resume, soft reset.
#pragma once

#include "hypervisor/core/host_ops.hpp"

namespace hyp {

// XEN_DOMCTL_SENDTRIGGER_*, public/domctl.h (which is for tools only).
enum class TriggerNumber : std::uint64_t { nmi = 0, reset = 1, init = 2, power = 3, sleep = 4 };

// Power and sleep need ACPI's fixed hardware. INIT leaves the boot vcpu nothing to start from: it
// would begin at the reset vector, and there is no firmware.
template <typename P>
HostResult HostOps<P>::send_trigger(HostRequest& request, Domain<P>& domain) {
  if (request.args[0] >= domain.vcpu_count) {
    return fail(Errno::inval);
  }
  Vcpu<P>& vcpu = *domain.vcpus[request.args[0]];
  switch (static_cast<TriggerNumber>(request.args[1])) {
    case TriggerNumber::nmi:
      if (!vcpu.online.load()) {
        return fail(Errno::inval);
      }
      parts_.core.platform.raise_nmi(vcpu);
      parts_.core.wake(vcpu);
      return done();
    case TriggerNumber::reset: parts_.lifecycle.shutdown(domain, SHUTDOWN_reboot); return done();
    case TriggerNumber::init:
      if (vcpu.id == VcpuId(0)) {
        return fail(Errno::inval);
      }
      parts_.lifecycle.guest_vcpu_down(vcpu);
      return done();
    default: return fail(Errno::opnotsupp);
  }
}

// After its last vcpu has left the guest, so that nobody is in the middle of shutting it down.
template <typename P>
HostResult HostOps<P>::resume(HostRequest&, Domain<P>& domain) {
  if (!domain.shut_down.load()) {
    return fail(Errno::inval);
  }
  if (!Lifecycle<P>::is_quiet(domain, cpu_)) {
    return Progress::more;
  }
  parts_.lifecycle.resume(domain);
  return done();
}

template <typename P>
HostResult HostOps<P>::soft_reset(HostRequest& request, Domain<P>& domain) {
  constexpr std::uint32_t ports_per_step = 512;
  enum Step : std::uint64_t { stop, close_ports, reset_rest };
  switch (request.step) {
    case stop:
      if (!domain.shut_down.load() && domain.pauses.load() == 0) {
        return fail(Errno::inval);
      }
      request.step = close_ports;
      return Progress::more;
    case close_ports:
      if (Lifecycle<P>::is_quiet(domain, cpu_)) {
        request.position = parts_.events.close_some(
            domain, static_cast<std::uint32_t>(request.position), ports_per_step, true);
        request.step = request.position == 0 ? reset_rest : close_ports;
      }
      return Progress::more;
    default: break;
  }
  parts_.grants.reset(domain);
  parts_.lifecycle.forget_registrations(domain);
  return done();
}

}  // namespace hyp
