// SPDX-License-Identifier: Apache-2.0
// Delivery of events to a guest. Interrupts are offered by V_IRQ: the CPU takes them when RFLAGS.IF
// and the interrupt shadow allow, without an exit to open a window. APM volume 2, sections 15.20
// and 15.21.
#include "hypervisor/x86_64/exits.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t shadow = 1;

void offer(Vmcb& vmcb, VcpuState& state, Offered source, std::uint8_t vector) {
  using namespace interrupt_control;
  std::uint64_t control = vmcb.interrupt_control;
  control = Irq::set(control, 1);
  control = Vector::set(control, vector);
  control = Priority::set(control, vector >> 4);
  // An upcall is not the LAPIC's: its task priority does not hold it back, as in Xen.
  control = IgnoreTpr::set(control, source == Offered::upcall ? 1 : 0);
  vmcb.interrupt_control = control;
  state.offered = source;
  state.offered_vector = vector;
}

void offer_interrupt(MachineVcpu& vcpu) {
  VcpuState& state = vcpu.arch;
  if (const auto vector = hypervisor.upcall_vector(vcpu)) {
    offer(*state.vmcb, state, Offered::upcall, *vector);
  } else if (const auto request = state.lapic.pending_hint()) {
    offer(*state.vmcb, state, Offered::lapic, *request);
  }
}

void offer_nmi(VcpuState& state) {
  Vmcb& vmcb = *state.vmcb;
  if (state.nmi_pending.load() && !state.nmi_blocked && (vmcb.interrupt_shadow & shadow) == 0) {
    state.nmi_pending.store(false);
    state.nmi_blocked = true;
    vmcb.intercepts1 |= intercept1::iret;
    vmcb.event_injection =
        event::Valid::mask | event::Type::make(event::type_nmi) | event::Vector::make(2);
  }
}

// A software interrupt or #BP/#OF starts again from its instruction, on which RIP still stands.
bool restarts_by_itself(std::uint64_t info) {
  const std::uint64_t type = event::Type::get(info);
  const std::uint64_t vector = event::Vector::get(info);
  return type == event::type_software ||
         (type == event::type_exception && (vector == 3 || vector == 4));
}

bool delivers(const VirtualLapic& target, const VirtualLapic& sender, std::uint64_t command) {
  switch (icr::Shorthand::get(command)) {
    case icr::shorthand_self: return &target == &sender;
    case icr::shorthand_all: return true;
    case icr::shorthand_others: return &target != &sender;
    default:
      return target.is_destination(static_cast<std::uint32_t>(command >> 32),
                                   icr::Logical::test(command), sender.x2apic());
  }
}

// A vcpu that went offline a moment ago may still be on its CPU's way out. Bounded: that CPU may
// wait for this one.
bool stops_running(const MachineVcpu& target) {
  constexpr std::uint64_t patience_ns = 1'000'000;
  const std::uint64_t end = machine.now_ns() + patience_ns;
  while (target.running.load()) {
    if (machine.now_ns() > end) {
      return false;
    }
  }
  return true;
}

void deliver(MachineVcpu& target, std::uint64_t command, bool to_itself) {
  switch (icr::Mode::get(command)) {
    case icr::mode_fixed:
    case icr::mode_lowest:
      target.arch.lapic.request(static_cast<std::uint8_t>(icr::Vector::get(command)));
      hypervisor.wake(target);
      break;
    case icr::mode_nmi:
      machine.raise_nmi(target);
      hypervisor.wake(target);
      break;
    case icr::mode_init:
      if (!to_itself && (icr::Assert::test(command) || !icr::Level::test(command))) {
        hypervisor.vcpu_down(target);
      }
      break;
    case icr::mode_startup:
      if (!to_itself && !target.online.load() && stops_running(target)) {
        hypervisor.disarm_lapic_timer(target);
        machine.start_at_page(target, static_cast<std::uint8_t>(icr::Vector::get(command)));
        hypervisor.vcpu_up(target);
      }
      break;
    default: break;  // SMI and reserved modes go nowhere
  }
}

}  // namespace

void offer_events(MachineVcpu& vcpu) {
  VcpuState& state = vcpu.arch;
  if (state.pending_event != 0) {
    state.vmcb->event_injection = state.pending_event;
    state.pending_event = 0;
  } else {
    offer_nmi(state);
  }
  offer_interrupt(vcpu);
}

void withdraw_events(MachineVcpu& vcpu) {
  VcpuState& state = vcpu.arch;
  state.pending_event = state.vmcb->event_injection;
  state.vmcb->event_injection = 0;
  state.offered = Offered::nothing;
  state.vmcb->interrupt_control = interrupt_control::Irq::set(state.vmcb->interrupt_control, 0);
}

void collect_events(MachineVcpu& vcpu) {
  using namespace interrupt_control;
  VcpuState& state = vcpu.arch;
  Vmcb& vmcb = *state.vmcb;
  const std::uint64_t interrupted = vmcb.exit_interrupt_info;
  const bool lost_in_delivery = event::Valid::test(interrupted);
  const bool was_interrupt =
      lost_in_delivery && event::Type::get(interrupted) == event::type_interrupt;
  if (state.offered == Offered::lapic && (!Irq::test(vmcb.interrupt_control) || was_interrupt)) {
    state.lapic.accept(state.offered_vector);
  }
  state.offered = Offered::nothing;
  vmcb.interrupt_control = Irq::set(vmcb.interrupt_control, 0);
  if (lost_in_delivery && !restarts_by_itself(interrupted)) {
    state.pending_event = interrupted;
  }
  vmcb.event_injection = 0;
  state.lapic.set_task_priority(static_cast<std::uint8_t>(
      Tpr::get(vmcb.interrupt_control) << 4 |
      (Tpr::get(vmcb.interrupt_control) == state.lapic.task_priority() >> 4
           ? state.lapic.task_priority() & 0xf
           : 0)));
}

void inject_exception(MachineVcpu& vcpu, std::uint8_t vector) {
  vcpu.arch.pending_event =
      event::Valid::mask | event::Type::make(event::type_exception) | event::Vector::make(vector);
}

void inject_exception(MachineVcpu& vcpu, std::uint8_t vector, std::uint32_t error_code) {
  inject_exception(vcpu, vector);
  vcpu.arch.pending_event |= event::HasErrorCode::mask | event::ErrorCode::make(error_code);
}

void send_ipi(MachineVcpu& sender) {
  const std::uint64_t command = sender.arch.lapic.command();
  MachineDomain& domain = *sender.domain;
  for (unsigned i = 0; i < domain.vcpu_count; ++i) {
    MachineVcpu* const target = domain.vcpus[i];
    if (target == nullptr || !delivers(target->arch.lapic, sender.arch.lapic, command)) {
      continue;
    }
    deliver(*target, command, target == &sender);
    if (icr::Mode::get(command) == icr::mode_lowest) {
      return;
    }
  }
}

bool write_lapic(MachineVcpu& vcpu, std::uint32_t reg, std::uint64_t value) {
  VirtualLapic& lapic = vcpu.arch.lapic;
  const LapicEffect effect = lapic.write(reg, value, machine.now_ns());
  if (effect.send_ipi) {
    send_ipi(vcpu);
  }
  if (effect.timer_changed) {
    if (const auto deadline = lapic.deadline()) {
      hypervisor.arm_lapic_timer(vcpu, *deadline);
    } else {
      hypervisor.disarm_lapic_timer(vcpu);
    }
  }
  if (reg == VirtualLapic::reg_svr && lapic.is_enabled()) {
    hypervisor.repeat_upcall(vcpu);
  }
  if (reg == VirtualLapic::reg_tpr) {
    std::uint64_t& control = vcpu.arch.vmcb->interrupt_control;
    control = interrupt_control::Tpr::set(control, lapic.task_priority() >> 4);
  }
  return effect.valid;
}

}  // namespace hyp::x86
