// SPDX-License-Identifier: Apache-2.0
// From entry to exit: what happens around one turn of a vcpu in its guest. Called on the CPU that
// runs the vcpu, interrupts off.
#pragma once

#include <cstdint>

#include "hypervisor/x86_64/machine.hpp"

namespace hyp::x86 {

// --- residency (residency.cpp): FPU and debug registers are loaded once per switch, not once per
// exit. Before this CPU enters the vcpu; Machine::switch_out is the other half.
void switch_in(MachineVcpu& vcpu);

// --- interrupts.cpp
// Puts the most urgent events into the VMCB.
void offer_events(MachineVcpu& vcpu);
// The turn did not take place after all: as if nothing had been offered.
void withdraw_events(MachineVcpu& vcpu);
// Takes back what was not delivered, keeps what was interrupted in delivery.
void collect_events(MachineVcpu& vcpu);
void inject_exception(MachineVcpu& vcpu, std::uint8_t vector);
void inject_exception(MachineVcpu& vcpu, std::uint8_t vector, std::uint32_t error_code);
inline constexpr std::uint8_t exception_ud = 6;
inline constexpr std::uint8_t exception_gp = 13;
// The vcpu's LAPIC has a new command: delivers it to those it names.
void send_ipi(MachineVcpu& sender);
// A write to a LAPIC register, from either interface. False: no such register.
bool write_lapic(MachineVcpu& vcpu, std::uint32_t reg, std::uint64_t value);

// --- one per kind of exit; they advance RIP
void handle_exit(MachineVcpu& vcpu);
void handle_cpuid(MachineVcpu& vcpu);
void handle_read_msr(MachineVcpu& vcpu);
void handle_write_msr(MachineVcpu& vcpu);
void handle_hypercall(MachineVcpu& vcpu);
void handle_io(MachineVcpu& vcpu);
void handle_nested_page_fault(MachineVcpu& vcpu);
void handle_set_extended_control(MachineVcpu& vcpu);

// Past an instruction of this length; ends an interrupt shadow.
void advance(MachineVcpu& vcpu, std::uint64_t length);
// General register by its encoding (0 RAX .. 15 R15).
std::uint64_t& guest_register(MachineVcpu& vcpu, unsigned encoding);
// Code runs in 64-bit mode (not compatibility mode).
bool in_64bit_code(const Vmcb& vmcb);
// Linear, of the instruction at RIP.
std::uint64_t code_address(const Vmcb& vmcb);
// Ends the domain.
void crash(MachineVcpu& vcpu, const char* cause);
inline void count(MachineVcpu& vcpu, ExitCause cause) {
  ++vcpu.exits[static_cast<unsigned>(cause)];
}

}  // namespace hyp::x86
