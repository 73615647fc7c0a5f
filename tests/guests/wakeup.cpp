// SPDX-License-Identifier: Apache-2.0
// How long a vcpu that sleeps takes to wake up: vcpu 0 by its single-shot timer, and, with two
// vcpus, by an event channel IPI from vcpu 1. Prints quantiles in microseconds. Options: rounds=N,
// pause_us=N between two of them.
#include "tests/guests/runtime/events.hpp"
#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/sched.h>
}

extern "C" {
extern unsigned char guest_ap_start[], guest_ap_end[];
extern uint64_t guest_ap_stack;
}

namespace guest {

const char* const guest_name = "wakeup";

namespace {

constexpr uint64_t patience = 30'000'000'000;
constexpr unsigned most_rounds = 2000;
constexpr Word trampoline = 0x8000;
alignas(16) unsigned char stack_[4096];
uint64_t samples_[most_rounds];
volatile uint64_t woken_at_;
volatile uint64_t sent_at_;
volatile unsigned asked_;  // vcpu 0 asks vcpu 1 for an IPI, by number
volatile bool ap_runs_;
evtchn_port_t ipi_;
uint64_t pause_;

void on_event(evtchn_port_t) {
  woken_at_ = system_time();
}

// Sleeps until `condition`, looked at after each event.
template <typename Condition>
void sleep_until(const char* what, Condition condition) {
  const uint64_t end = system_time() + patience;
  for (;;) {
    disable_interrupts();
    if (condition()) {
      enable_interrupts();
      return;
    }
    check(system_time() < end, what);
    wait_for_interrupt();
  }
}

uint64_t sleep_by_timer(uint64_t when) {
  woken_at_ = 0;
  vcpu_set_singleshot_timer request{when, 0};
  must("set_singleshot_timer", __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0,
       address(&request));
  sleep_until("no timer", [] { return woken_at_ != 0; });
  return woken_at_ - when;
}

uint64_t sleep_by_ipi() {
  woken_at_ = 0;
  asked_ = asked_ + 1;
  sleep_until("no IPI", [] { return woken_at_ != 0; });
  return woken_at_ - sent_at_;
}

void report(const char* what, unsigned rounds) {
  for (unsigned i = 1; i < rounds; ++i) {
    const uint64_t value = samples_[i];
    unsigned at = i;
    for (; at > 0 && samples_[at - 1] > value; --at) {
      samples_[at] = samples_[at - 1];
    }
    samples_[at] = value;
  }
  say(what, " p50=", samples_[rounds / 2] / 1000, " p90=", samples_[rounds * 9 / 10] / 1000,
      " p99=", samples_[rounds * 99 / 100] / 1000, " max=", samples_[rounds - 1] / 1000);
}

void start_ap() {
  volatile uint32_t* const apic = reinterpret_cast<volatile uint32_t*>(0xfee00000UL);
  apic[0xf0 / 4] = 0x1ff;
  memcpy(reinterpret_cast<void*>(trampoline), guest_ap_start,
         static_cast<Word>(guest_ap_end - guest_ap_start));
  guest_ap_stack = address(stack_ + sizeof stack_);
  const uint32_t commands[] = {0x4500U, 0x4600U | static_cast<uint32_t>(trampoline >> 12)};
  for (const uint32_t command : commands) {  // INIT, SIPI
    apic[0x310 / 4] = 2U << 24;              // vcpu 1 has APIC id 2
    apic[0x300 / 4] = command;
  }
  for (const uint64_t end = system_time() + patience; !ap_runs_;) {
    check(system_time() < end, "vcpu 1 did not start");
    relax();
  }
}

}  // namespace

// Sleeps too between its IPIs: a vcpu that spins would have to share its CPU.
void run_on_ap() {
  load_traps();
  ap_runs_ = true;
  for (unsigned served = 0;;) {
    sched_poll poll{};
    poll.timeout = system_time() + pause_;
    must("poll", __HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
    if (served != asked_) {
      served = asked_;
      sent_at_ = system_time();
      check(send(ipi_) == 0, "send");
    }
  }
}

void guest_main() {
  map_shared_info();
  const auto rounds = static_cast<unsigned>(option("rounds", 200));
  check(rounds > 0 && rounds <= most_rounds, "rounds");
  pause_ = option("pause_us", 2000) * 1000;
  set_masked(bind_virq(VIRQ_TIMER), false);
  evtchn_bind_ipi bind{0, 0};
  check(event_op(EVTCHNOP_bind_ipi, &bind) == 0, "bind_ipi");
  ipi_ = bind.port;
  set_masked(ipi_, false);
  enable_upcall(on_event);
  enable_interrupts();
  must("stop_periodic", __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0);
  for (unsigned i = 0; i < rounds; ++i) {
    samples_[i] = sleep_by_timer(system_time() + pause_);
  }
  report("timer", rounds);
  if (option("ipi", 1) != 0) {
    start_ap();
    for (unsigned i = 0; i < rounds; ++i) {
      samples_[i] = sleep_by_ipi();
    }
    report("ipi", rounds);
  }
  pass();
}

}  // namespace guest

extern "C" void guest_ap_entry() {
  guest::run_on_ap();
}
