// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/exits.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t vmmcall_length = 3;
constexpr std::uint64_t low_half = 0xffffffff;

// Encodings of the argument registers in order.
constexpr unsigned wide_arguments[6] = {7, 6, 2, 10, 8, 9};   // RDI RSI RDX R10 R8 R9
constexpr unsigned narrow_arguments[6] = {3, 1, 2, 6, 7, 5};  // EBX ECX EDX ESI EDI EBP

}  // namespace

void handle_hypercall(MachineVcpu& vcpu) {
  Vmcb& vmcb = *vcpu.arch.vmcb;
  HypercallFrame frame;
  frame.wide = in_64bit_code(vmcb);
  const std::uint64_t mask = frame.wide ? ~0ULL : low_half;
  if (vmcb.cpl != 0) {
    vmcb.rax = static_cast<std::uint64_t>(negative(Errno::perm)) & mask;
    advance(vcpu, vmmcall_length);
    return;
  }
  const unsigned* const arguments = frame.wide ? wide_arguments : narrow_arguments;
  frame.number = vmcb.rax & mask;
  for (unsigned i = 0; i < frame.args.size(); ++i) {
    frame.args[i] = guest_register(vcpu, arguments[i]) & mask;
  }
  hypervisor.hypercall(vcpu, frame);
  if (frame.restart) {
    for (unsigned i = 0; i < frame.args.size(); ++i) {
      guest_register(vcpu, arguments[i]) = frame.args[i] & mask;
    }
    return;
  }
  vmcb.rax = frame.result & mask;
  advance(vcpu, vmmcall_length);
}

}  // namespace hyp::x86
