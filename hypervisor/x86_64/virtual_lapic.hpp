// SPDX-License-Identifier: Apache-2.0
// A vcpu's local APIC: xAPIC and x2APIC registers, interrupt request and service state, timer. APM
// volume 2, chapter 16. Edge-triggered interrupts only (there is no IOAPIC). Pure; compiles on the
// host.
//
// Thread rule: only the CPU that runs the vcpu calls in, except request() and pending_hint(), which
// any CPU may.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/bits.hpp"

namespace hyp::x86 {

namespace icr {
using Vector = xl::Bits<0, 8>;
using Mode = xl::Bits<8, 3>;
using Logical = xl::Bits<11>;
using Assert = xl::Bits<14>;
using Level = xl::Bits<15>;
using Shorthand = xl::Bits<18, 2>;
inline constexpr std::uint64_t mode_fixed = 0;
inline constexpr std::uint64_t mode_lowest = 1;
inline constexpr std::uint64_t mode_nmi = 4;
inline constexpr std::uint64_t mode_init = 5;
inline constexpr std::uint64_t mode_startup = 6;
inline constexpr std::uint64_t shorthand_self = 1;
inline constexpr std::uint64_t shorthand_all = 2;
inline constexpr std::uint64_t shorthand_others = 3;
}  // namespace icr

// What a register write asks of the world.
struct LapicEffect {
  bool valid = true;           // false: no such register (x2APIC: #GP)
  bool send_ipi = false;       // the command is in command()
  bool timer_changed = false;  // arm or disarm for deadline()
};

class VirtualLapic {
 public:
  // Registers by offset in the xAPIC page; x2APIC MSR 0x800 + offset / 16.
  enum Register : std::uint32_t {
    reg_id = 0x20,
    reg_version = 0x30,
    reg_tpr = 0x80,
    reg_ppr = 0xa0,
    reg_eoi = 0xb0,
    reg_ldr = 0xd0,
    reg_dfr = 0xe0,
    reg_svr = 0xf0,
    reg_isr = 0x100,
    reg_tmr = 0x180,
    reg_irr = 0x200,
    reg_esr = 0x280,
    reg_icr = 0x300,
    reg_icr_high = 0x310,
    reg_lvt_timer = 0x320,
    reg_lvt_error = 0x370,
    reg_initial = 0x380,
    reg_current = 0x390,
    reg_divide = 0x3e0,
    reg_self_ipi = 0x3f0,
  };

  static constexpr std::uint64_t default_page = 0xfee00000;
  static constexpr std::uint64_t base_bsp = 1U << 8;
  static constexpr std::uint64_t base_x2apic = 1U << 10;
  static constexpr std::uint64_t base_enable = 1U << 11;

  void reset(std::uint32_t id, bool boot_vcpu) {
    id_ = id;
    base_ = default_page | base_enable | (boot_vcpu ? base_bsp : 0);
    reset_registers();
  }
  // INIT: keeps id and mode.
  void reset_registers();

  std::uint64_t base() const { return base_; }
  bool set_base(std::uint64_t value);  // false: #GP
  bool x2apic() const { return (base_ & base_x2apic) != 0; }
  bool memory_mapped() const { return (base_ & (base_enable | base_x2apic)) == base_enable; }
  std::uint32_t id() const { return id_; }

  std::optional<std::uint64_t> read(std::uint32_t reg, std::uint64_t now_ns) const;
  LapicEffect write(std::uint32_t reg, std::uint64_t value, std::uint64_t now_ns);

  // The last written command, destination in bits 63:32 as x2APIC has it.
  std::uint64_t command() const { return command_; }
  // Is this LAPIC meant by the destination of `sender`'s command? Shorthands are the caller's.
  bool is_destination(std::uint32_t destination, bool logical, bool sender_x2apic) const;

  // Takes interrupts: by its base register and by SVR. Any CPU, as a hint.
  bool is_enabled() const {
    return (base_ & base_enable) != 0 && (svr_.load(std::memory_order_seq_cst) & svr_enable) != 0;
  }

  // Any CPU: an edge for this vector, which is lost while the LAPIC is not enabled.
  void request(std::uint8_t vector) {
    if (is_enabled()) {
      irr_[vector / 32].fetch_or(1U << (vector % 32), std::memory_order_release);
    }
  }
  // Highest vector that would be delivered now if RFLAGS.IF allowed it.
  std::optional<std::uint8_t> pending_hint() const;
  void accept(std::uint8_t vector);

  std::uint8_t task_priority() const { return static_cast<std::uint8_t>(tpr_); }
  void set_task_priority(std::uint8_t value) { tpr_ = value; }

  // System time of the next timer interrupt; nothing when stopped.
  std::optional<std::uint64_t> deadline() const {
    return timer_deadline_ == 0 ? std::nullopt : std::optional(timer_deadline_);
  }
  // The deadline has come: requests the interrupt, moves a periodic timer on. True: deadline() is a
  // new one.
  bool timer_fired(std::uint64_t now_ns);

 private:
  static constexpr std::uint32_t lvt_masked = 1U << 16;
  static constexpr std::uint32_t lvt_periodic = 1U << 17;
  static constexpr std::uint32_t svr_enable = 1U << 8;

  using Bitmap = std::array<std::uint32_t, 8>;
  static int highest(const Bitmap& bitmap);
  int highest_request() const;
  std::uint32_t processor_priority() const;
  std::uint32_t logical_id() const;
  std::uint32_t bitmap_word(std::uint32_t reg) const;
  std::uint32_t current_count(std::uint64_t now_ns) const;
  std::uint64_t tick_ns() const;
  void start_timer(std::uint64_t now_ns);
  void end_of_interrupt();
  void write_spurious(std::uint32_t value);
  LapicEffect write_command(std::uint64_t value);
  std::uint32_t& lvt(std::uint32_t reg) { return lvt_[(reg - reg_lvt_timer) >> 4]; }
  std::uint32_t lvt(std::uint32_t reg) const { return lvt_[(reg - reg_lvt_timer) >> 4]; }

  std::uint64_t base_ = 0;
  std::uint32_t id_ = 0;
  std::uint32_t tpr_ = 0;
  std::uint32_t ldr_ = 0;
  std::uint32_t dfr_ = ~0U;
  std::atomic<std::uint32_t> svr_{0xff};
  std::uint32_t divide_ = 0;
  std::uint32_t initial_ = 0;
  std::uint64_t command_ = 0;
  std::uint64_t timer_deadline_ = 0;
  std::array<std::uint32_t, 6> lvt_{};
  std::array<std::atomic<std::uint32_t>, 8> irr_{};
  Bitmap isr_{};
};

}  // namespace hyp::x86
