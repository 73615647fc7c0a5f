// SPDX-License-Identifier: Apache-2.0
// Lifecycle<P>: a domain that has shut down runs on, as it was or as new.
#pragma once

#include "hypervisor/core/lifecycle.hpp"

namespace hyp {

template <typename P>
void Lifecycle<P>::resume(Domain<P>& domain) {
  domain.crash_reported.store(false);
  domain.shutdown_reason.store(0);
  domain.shut_down.store(false);
  update_all(domain);
}

template <typename P>
void Lifecycle<P>::forget_registrations(Domain<P>& domain) {
  Guard guard(domain.memory_lock);
  events_.renew(domain);
  domain.params[HVM_PARAM_CALLBACK_IRQ] = 0;
  domain.runstate_flag.store(false);
  for (unsigned id = 0; id < domain.vcpu_count; ++id) {
    Vcpu<P>& vcpu = *domain.vcpus[id];
    vcpu.runstate_area.store(0);
    vcpu.time_area.store(0);
    vcpu.period_ns.store(0);
    for (Timer<P>* const timer : {&vcpu.singleshot, &vcpu.periodic, &vcpu.poll}) {
      core_.timers.cancel(*timer);
    }
    if (vcpu.poll_port.exchange(0) != 0) {
      domain.pollers.fetch_sub(1);
      vcpu.blocked.store(false);  // what it waited for does not come any more
      core_.scheduler.update(vcpu);
    }
    write_time(vcpu);
  }
  write_wall_clock(domain);
}

}  // namespace hyp
