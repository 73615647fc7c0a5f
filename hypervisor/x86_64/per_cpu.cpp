// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/per_cpu.hpp"

#include "hypervisor/x86_64/idt.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/memory.hpp"

namespace hyp::x86 {
namespace {

struct alignas(4096) Stack {
  std::uint8_t guard[4096];
  std::uint8_t emergency[4096];  // IST 1: #DF, NMI, #MC
  std::uint8_t bytes[stack_size];
};

// The last one is the boot CPU's.
[[gnu::section(".bss.page")]] constinit Stack stacks[max_physical_cpus + 1]{};
constinit PerCpu cpus[max_physical_cpus]{};

constexpr std::uint64_t code_descriptor = 0x00af9b000000ffff;
constexpr std::uint64_t data_descriptor = 0x00cf93000000ffff;

std::uint64_t address_of(const void* object) {
  // SAFETY: memory is identity-mapped: an object's address is its physical address.
  return reinterpret_cast<std::uint64_t>(object);
}

// The two words of an available 64-bit TSS descriptor.
void set_tss_descriptor(PerCpu& cpu) {
  const std::uint64_t base = address_of(&cpu.tss);
  cpu.gdt[4] =
      (sizeof(Tss) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 | ((base >> 24) & 0xff) << 56;
  cpu.gdt[5] = base >> 32;
}

struct [[gnu::packed]] TablePointer {
  std::uint16_t limit;
  std::uint64_t base;
};

}  // namespace

// boot.S starts on it: its stack must be known before any code has run.
extern "C" {
constinit PerCpu boot_cpu{.stack_top = stacks[max_physical_cpus].bytes + stack_size,
                          .self = &boot_cpu};
}

PerCpu& cpu_at(std::uint32_t index) {
  return cpus[index];
}

namespace {

PerCpu& prepare(PerCpu& cpu, std::uint32_t index, std::uint32_t apic_id) {
  cpu.stack_top = stacks[index].bytes + stack_size;
  cpu.self = &cpu;
  cpu.index = index;
  cpu.apic_id = apic_id;
  cpu.gdt[1] = code_descriptor;
  cpu.gdt[2] = data_descriptor;
  set_tss_descriptor(cpu);
  cpu.tss.ist[0] = address_of(stacks[index].emergency + sizeof(Stack::emergency));
  cpu.tss.io_map_base = sizeof(Tss);
  return cpu;
}

}  // namespace

PerCpu& prepare_boot_cpu(std::uint32_t apic_id) {
  return prepare(boot_cpu, max_physical_cpus, apic_id);
}

PerCpu& prepare_cpu(std::uint32_t index, std::uint32_t apic_id) {
  return prepare(cpus[index], index, apic_id);
}

void load_cpu_tables(PerCpu& cpu) {
  const TablePointer gdt{sizeof(cpu.gdt) - 1, address_of(cpu.gdt)};
  // SAFETY: the table has the same code and data descriptors as boot.S's, so CS, SS and the others
  // stay what they are; TR gets this CPU's own TSS.
  asm volatile("lgdt %0; ltr %w1" : : "m"(gdt), "r"(selector_tss) : "memory");
  write_msr(Msr::gs_base, address_of(&cpu));
  load_idt();
}

void guard_stacks() {
  for (Stack& stack : stacks) {
    unmap_image_page(xl::HostPhys(address_of(stack.guard)));
  }
}

}  // namespace hyp::x86
