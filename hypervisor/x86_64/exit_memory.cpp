// SPDX-License-Identifier: Apache-2.0
// Nested page faults and port I/O: the LAPIC's page, and everything that is not there. Absent ports
// and memory read all-ones; writes to them do nothing.
#include "hypervisor/x86_64/exits.hpp"
#include "hypervisor/x86_64/mmio_decoder.hpp"

namespace hyp::x86 {
namespace {

constexpr unsigned longest_instruction = 15;
constexpr std::uint16_t attribute_default_big = 1U << 10;

CodeSize code_size(const Vmcb& vmcb) {
  if (in_64bit_code(vmcb)) {
    return CodeSize::bits64;
  }
  return (vmcb.cs.attributes & attribute_default_big) != 0 ? CodeSize::bits32 : CodeSize::bits16;
}

std::optional<MmioAccess> fetch_and_decode(MachineVcpu& vcpu) {
  const Vmcb& vmcb = *vcpu.arch.vmcb;
  const std::uint64_t linear = code_address(vmcb);
  std::uint8_t bytes[longest_instruction];
  // What lies on the next page is read only if it is there: the instruction may end before it.
  unsigned count = static_cast<unsigned>(xl::page_size - (linear & (xl::page_size - 1)));
  count = count < longest_instruction ? count : longest_instruction;
  if (!machine.read_guest(vcpu, bytes, linear, count)) {
    return std::nullopt;
  }
  if (machine.read_guest(vcpu, bytes + count, linear + count, longest_instruction - count)) {
    count = longest_instruction;
  }
  return MmioDecoder(bytes, count, code_size(vmcb)).decode();
}

std::uint64_t size_mask(unsigned size) {
  return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

// As a MOV of this size into the register would leave it.
void put_register(MachineVcpu& vcpu, const MmioAccess& access, std::uint64_t value) {
  std::uint64_t& target = guest_register(vcpu, access.reg);
  value &= size_mask(access.size);
  if (access.sign_extend && ((value >> (8 * access.size - 1)) & 1) != 0) {
    value |= ~size_mask(access.size);
  }
  if (access.high_byte) {
    target = (target & ~0xff00ULL) | (value & 0xff) << 8;
  } else if (access.reg_size >= 4) {
    target = value & size_mask(access.reg_size);
  } else {
    target = (target & ~size_mask(access.reg_size)) | (value & size_mask(access.reg_size));
  }
}

std::uint64_t stored_value(MachineVcpu& vcpu, const MmioAccess& access) {
  if (access.has_immediate) {
    return access.immediate;
  }
  return guest_register(vcpu, access.reg) >> (access.high_byte ? 8 : 0);
}

// Registers are 32 bits wide on 16-byte steps; only aligned doublewords mean anything.
std::uint64_t read_device(MachineVcpu& vcpu, bool lapic, std::uint32_t offset) {
  if (!lapic) {
    return ~0ULL;
  }
  return vcpu.arch.lapic.read(offset & ~15U, machine.now_ns()).value_or(0) >> (8 * (offset & 3));
}

void access_device(MachineVcpu& vcpu, bool lapic, std::uint32_t offset) {
  const auto access = fetch_and_decode(vcpu);
  if (!access) {
    crash(vcpu, "cannot decode an access to a device or to absent memory");
    return;
  }
  const std::uint64_t to_store = access->write ? stored_value(vcpu, *access) : 0;
  advance(vcpu, access->length);
  if (access->read) {
    put_register(vcpu, *access, read_device(vcpu, lapic, offset));
  }
  if (access->write && lapic && (offset & 15) == 0) {
    static_cast<void>(write_lapic(vcpu, offset, to_store & 0xffffffff));
  }
}

}  // namespace

void handle_nested_page_fault(MachineVcpu& vcpu) {
  const Vmcb& vmcb = *vcpu.arch.vmcb;
  const std::uint64_t address = vmcb.exit_info2;
  const bool lapic = (address & ~(xl::page_size - 1)) == VirtualLapic::default_page &&
                     vcpu.arch.lapic.memory_mapped();
  const xl::Gfn gfn = xl::to_gfn(xl::GuestPhys(address));
  const PhysmapEntry entry = vcpu.domain->physmap.lookup(gfn);
  if (entry.kind == PageKind::on_demand) {
    count(vcpu, ExitCause::first_touch);
    hypervisor.fault(vcpu, gfn);
    return;
  }
  count(vcpu, lapic ? ExitCause::lapic : ExitCause::absent_memory);
  if (entry.kind != PageKind::none) {
    // Mapped since, or a write to a frame that was granted read-only: that is the guest's own
    // mistake.
    if (entry.kind == PageKind::grant_ro && npf_info::Write::test(vmcb.exit_info1)) {
      inject_exception(vcpu, exception_gp, 0);
    }
    return;
  }
  if (npf_info::Fetch::test(vmcb.exit_info1)) {
    inject_exception(vcpu, exception_gp, 0);  // as Xen, which cannot emulate what it cannot read
    return;
  }
  access_device(vcpu, lapic, static_cast<std::uint32_t>(address & (xl::page_size - 1)));
}

// Linux measures the CPU by reading the timer chip's second counter until its high byte is no
// longer 0xff: 100000 exits, if the port read as absent. A counter that stands still at 0 says the
// same, that there is no such chip, with the first read.
constexpr std::uint64_t pit_counter_port = 0x42;

void handle_io(MachineVcpu& vcpu) {
  Vmcb& vmcb = *vcpu.arch.vmcb;
  const std::uint64_t info = vmcb.exit_info1;
  const auto size = static_cast<unsigned>(io_info::Size::get(info));
  if (io_info::String::test(info)) {
    // Nothing moves; the counters do.
    const std::uint64_t turns = io_info::Repeat::test(info) ? vcpu.arch.registers.rcx : 1;
    std::uint64_t& index =
        io_info::In::test(info) ? vcpu.arch.registers.rdi : vcpu.arch.registers.rsi;
    constexpr std::uint64_t direction = 1U << 10;
    index += (vmcb.rflags & direction) != 0 ? 0 - turns * size : turns * size;
    vcpu.arch.registers.rcx = io_info::Repeat::test(info) ? 0 : vcpu.arch.registers.rcx;
  } else if (io_info::In::test(info) && io_info::Port::get(info) == pit_counter_port) {
    vmcb.rax &= ~size_mask(size == 4 ? 8 : size);
  } else if (io_info::In::test(info)) {
    vmcb.rax = size == 4 ? 0xffffffff : vmcb.rax | size_mask(size);
  }
  vmcb.rip = vmcb.exit_info2;
  vmcb.interrupt_shadow = 0;
}

}  // namespace hyp::x86
