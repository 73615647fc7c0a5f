// SPDX-License-Identifier: Apache-2.0
// The physical CPU's local APIC and the IOAPIC's one used pin. APM volume 2, chapter 16; 82093AA
// data sheet.
#pragma once

#include <cstdint>

#include "hypervisor/x86_64/instructions.hpp"

namespace hyp::x86 {

enum class ApicRegister : std::uint32_t {  // offset in the xAPIC page; x2APIC MSR = 0x800 + offset
                                           // / 16
  id = 0x20,
  eoi = 0xb0,
  spurious = 0xf0,
  command_low = 0x300,
  command_high = 0x310,
  lvt_timer = 0x320,
  initial_count = 0x380,
  current_count = 0x390,
  divide = 0x3e0,
};

class LocalApic {
 public:
  void enable();
  std::uint32_t id() const;
  void end_of_interrupt() { write(ApicRegister::eoi, 0); }

  void send(std::uint32_t apic_id, std::uint8_t vector) { command(apic_id, vector); }
  void send_to_others(std::uint8_t vector) { command(0, 0xc0000U | vector); }
  void send_init(std::uint32_t apic_id) { command(apic_id, 0x4500); }
  void send_startup(std::uint32_t apic_id, std::uint8_t page) { command(apic_id, 0x4600U | page); }

  // One shot after `ticks` (0 stops it), by vector_timer.
  void start_timer(std::uint32_t ticks) { write(ApicRegister::initial_count, ticks); }
  std::uint32_t timer_left() const { return read(ApicRegister::current_count); }

 private:
  std::uint32_t read(ApicRegister which) const;
  void write(ApicRegister which, std::uint32_t value);
  void command(std::uint32_t apic_id, std::uint32_t low);
};

// The one of the CPU that asks.
inline LocalApic local_apic() {
  return LocalApic{};
}

// All pins masked, then COM1's (4) to vector_doorbell of this APIC id, edge, active high.
void route_doorbell(std::uint32_t apic_id);

// The LAPIC timer counts at this rate (divider 1) on the machine that QEMU gives.
inline constexpr std::uint64_t apic_timer_hz = 1'000'000'000;

}  // namespace hyp::x86
