// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/apic.hpp"

#include "hypervisor/x86_64/idt.hpp"

namespace hyp::x86 {
namespace {

constexpr std::uint64_t apic_page = 0xfee00000;
constexpr std::uint64_t ioapic_page = 0xfec00000;
constexpr std::uint64_t base_enable = 1ULL << 11;
constexpr std::uint32_t spurious_enable = 0x100;
constexpr std::uint32_t divide_by_1 = 0x0b;
constexpr std::uint32_t command_busy = 0x1000;

volatile std::uint32_t* mmio(std::uint64_t address) {
  // SAFETY: boot.S maps [3 GiB, 4 GiB) uncached, where both APICs have their registers; nothing
  // else lies there.
  return reinterpret_cast<volatile std::uint32_t*>(address);
}

void ioapic_write(std::uint32_t index, std::uint32_t value) {
  *mmio(ioapic_page) = index;
  *mmio(ioapic_page + 0x10) = value;
}

}  // namespace

std::uint32_t LocalApic::read(ApicRegister which) const {
  return *mmio(apic_page + static_cast<std::uint32_t>(which));
}

void LocalApic::write(ApicRegister which, std::uint32_t value) {
  *mmio(apic_page + static_cast<std::uint32_t>(which)) = value;
}

void LocalApic::command(std::uint32_t apic_id, std::uint32_t low) {
  while ((read(ApicRegister::command_low) & command_busy) != 0) {
    pause();
  }
  write(ApicRegister::command_high, apic_id << 24);
  write(ApicRegister::command_low, low);
}

void LocalApic::enable() {
  write_msr(Msr::apic_base, read_msr(Msr::apic_base) | base_enable);
  write(ApicRegister::spurious, spurious_enable | vector_spurious);
  write(ApicRegister::divide, divide_by_1);
  write(ApicRegister::lvt_timer, vector_timer);
}

std::uint32_t LocalApic::id() const {
  return read(ApicRegister::id) >> 24;
}

void route_doorbell(std::uint32_t apic_id) {
  constexpr std::uint32_t pins = 24;
  constexpr std::uint32_t masked = 0x10000;
  constexpr std::uint32_t com1_pin = 4;
  for (std::uint32_t pin = 0; pin < pins; ++pin) {
    ioapic_write(0x10 + 2 * pin, masked);
  }
  ioapic_write(0x11 + 2 * com1_pin, apic_id << 24);
  ioapic_write(0x10 + 2 * com1_pin, vector_doorbell);
}

}  // namespace hyp::x86
