// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/virtual_lapic.hpp"

namespace hyp::x86 {

void VirtualLapic::reset_registers() {
  tpr_ = ldr_ = initial_ = divide_ = 0;
  dfr_ = ~0U;
  svr_ = 0xff;
  command_ = 0;
  timer_deadline_ = 0;
  lvt_.fill(lvt_masked);
  isr_.fill(0);
  for (auto& word : irr_) {
    word.store(0, std::memory_order_relaxed);
  }
}

bool VirtualLapic::set_base(std::uint64_t value) {
  constexpr std::uint64_t modes = base_enable | base_x2apic;
  const bool leaves_x2apic = x2apic() && (value & modes) == base_enable;  // only by way of disabled
  if ((value & modes) == base_x2apic || leaves_x2apic ||
      (value & ~(modes | base_bsp)) != default_page) {
    return false;
  }
  base_ = default_page | (value & modes) | (base_ & base_bsp);
  return true;
}

int VirtualLapic::highest(const Bitmap& bitmap) {
  for (int word = 7; word >= 0; --word) {
    const std::uint32_t bits = bitmap[static_cast<unsigned>(word)];
    if (bits != 0) {
      return word * 32 + 31 - __builtin_clz(bits);
    }
  }
  return -1;
}

int VirtualLapic::highest_request() const {
  for (int word = 7; word >= 0; --word) {
    const std::uint32_t bits = irr_[static_cast<unsigned>(word)].load(std::memory_order_acquire);
    if (bits != 0) {
      return word * 32 + 31 - __builtin_clz(bits);
    }
  }
  return -1;
}

std::uint32_t VirtualLapic::processor_priority() const {
  const int in_service = highest(isr_);
  const std::uint32_t service = in_service < 0 ? 0 : static_cast<std::uint32_t>(in_service) & 0xf0;
  return (tpr_ & 0xf0) >= service ? tpr_ : service;
}

std::optional<std::uint8_t> VirtualLapic::pending_hint() const {
  if (!is_enabled()) {
    return std::nullopt;
  }
  const int vector = highest_request();
  if (vector < 0 || (static_cast<std::uint32_t>(vector) & 0xf0) <= (processor_priority() & 0xf0)) {
    return std::nullopt;
  }
  return static_cast<std::uint8_t>(vector);
}

void VirtualLapic::accept(std::uint8_t vector) {
  irr_[vector / 32].fetch_and(~(1U << (vector % 32)), std::memory_order_relaxed);
  isr_[vector / 32] |= 1U << (vector % 32);
}

void VirtualLapic::end_of_interrupt() {
  const int vector = highest(isr_);
  if (vector >= 0) {
    isr_[static_cast<unsigned>(vector) / 32] &= ~(1U << (vector % 32));
  }
}

// Its order with request()'s look at it: who sets upcall_pending and finds the LAPIC off is seen by
// whoever turned it on and then looks at upcall_pending.
void VirtualLapic::write_spurious(std::uint32_t value) {
  svr_.store(value, std::memory_order_seq_cst);
  if ((value & svr_enable) == 0) {
    for (std::uint32_t& entry : lvt_) {
      entry |= lvt_masked;
    }
  }
}

std::uint32_t VirtualLapic::logical_id() const {
  // x2APIC: cluster in the upper half, one bit of 16 in the lower, both from the id.
  return x2apic() ? (id_ >> 4) << 16 | 1U << (id_ & 15) : ldr_;
}

std::uint32_t VirtualLapic::bitmap_word(std::uint32_t reg) const {
  const std::uint32_t word = (reg >> 4) & 7;
  if (reg >= reg_irr) {
    return irr_[word].load(std::memory_order_relaxed);
  }
  return reg < reg_tmr ? isr_[word] : 0;  // nothing is level-triggered
}

std::optional<std::uint64_t> VirtualLapic::read(std::uint32_t reg, std::uint64_t now_ns) const {
  constexpr std::uint64_t version = 0x14 | 5U << 16;  // six local vectors
  if (reg >= reg_isr && reg < reg_esr) {
    return bitmap_word(reg);
  }
  if (reg >= reg_lvt_timer && reg <= reg_lvt_error) {
    return lvt(reg);
  }
  switch (reg) {
    case reg_id: return x2apic() ? id_ : id_ << 24;
    case reg_version: return version;
    case reg_tpr: return tpr_;
    case reg_ppr: return processor_priority();
    case reg_ldr: return logical_id();
    case reg_svr: return svr_;
    case reg_esr: return 0;
    case reg_icr: return x2apic() ? command_ : command_ & 0xffffffff;
    case reg_initial: return initial_;
    case reg_current: return current_count(now_ns);
    case reg_divide: return divide_;
    case reg_dfr: return x2apic() ? std::nullopt : std::optional<std::uint64_t>(dfr_);
    case reg_icr_high:
      return x2apic() ? std::nullopt : std::optional<std::uint64_t>((command_ >> 32) << 24);
    case 0x90:
    case 0xc0:
    case reg_eoi: return x2apic() ? std::nullopt : std::optional<std::uint64_t>(0);
    default: return std::nullopt;
  }
}

LapicEffect VirtualLapic::write_command(std::uint64_t value) {
  command_ = value & ~(1ULL << 12);  // delivered at once
  return {.send_ipi = true};
}

LapicEffect VirtualLapic::write(std::uint32_t reg, std::uint64_t value, std::uint64_t now_ns) {
  const auto word = static_cast<std::uint32_t>(value);
  if (reg >= reg_lvt_timer && reg <= reg_lvt_error) {
    lvt(reg) = (word & 0x310ff) | ((svr_ & svr_enable) != 0 ? 0 : lvt_masked);
    return {};
  }
  switch (reg) {
    case reg_tpr: tpr_ = word & 0xff; return {};
    case reg_eoi: end_of_interrupt(); return {};
    case reg_svr: write_spurious(word & 0x1ff); return {};
    case reg_esr: return {};
    case reg_divide: divide_ = word & 0xb; return {};
    case reg_initial:
      initial_ = word;
      start_timer(now_ns);
      return {.timer_changed = true};
    case reg_icr: return write_command(x2apic() ? value : word | (command_ & 0xffffffff00000000));
    case reg_self_ipi:
      if (x2apic()) {
        request(static_cast<std::uint8_t>(word));
      }
      return {.valid = x2apic()};
    default: break;
  }
  if (x2apic()) {
    return {.valid = false};
  }
  switch (reg) {
    case reg_ldr: ldr_ = word & 0xff000000; return {};
    case reg_dfr: dfr_ = word | 0x0fffffff; return {};
    case reg_icr_high:
      command_ = (command_ & 0xffffffff) | static_cast<std::uint64_t>(word >> 24) << 32;
      return {};
    default: return {.valid = false};
  }
}

bool VirtualLapic::is_destination(std::uint32_t destination, bool logical,
                                  bool sender_x2apic) const {
  if (destination == (sender_x2apic ? ~0U : 0xffU)) {
    return true;
  }
  if (!logical) {
    return destination == id_;
  }
  if (sender_x2apic) {
    const std::uint32_t mine = x2apic() ? logical_id() : (id_ >> 4) << 16 | 1U << (id_ & 15);
    return (destination >> 16) == (mine >> 16) && (destination & mine & 0xffff) != 0;
  }
  const std::uint32_t mine = ldr_ >> 24;
  if (dfr_ == ~0U) {  // flat
    return (destination & mine) != 0;
  }
  return (destination >> 4) == (mine >> 4) && (destination & mine & 0xf) != 0;
}

std::uint64_t VirtualLapic::tick_ns() const {
  // Divide configuration: 0..6 -> 2..128, 7 -> 1, with bit 3 as the high bit. One tick of the bus
  // is 1 ns.
  const std::uint32_t code = (divide_ & 3) | ((divide_ >> 1) & 4);
  return code == 7 ? 1 : 2ULL << code;
}

void VirtualLapic::start_timer(std::uint64_t now_ns) {
  timer_deadline_ = initial_ == 0 ? 0 : now_ns + initial_ * tick_ns();
}

std::uint32_t VirtualLapic::current_count(std::uint64_t now_ns) const {
  if (timer_deadline_ <= now_ns) {
    return 0;
  }
  return static_cast<std::uint32_t>((timer_deadline_ - now_ns) / tick_ns());
}

bool VirtualLapic::timer_fired(std::uint64_t now_ns) {
  if (timer_deadline_ == 0 || timer_deadline_ > now_ns) {
    return timer_deadline_ != 0;
  }
  const std::uint32_t entry = lvt(reg_lvt_timer);
  if ((entry & lvt_masked) == 0) {
    request(static_cast<std::uint8_t>(entry));
  }
  if ((entry & lvt_periodic) == 0) {
    timer_deadline_ = 0;
    return false;
  }
  const std::uint64_t period = initial_ * tick_ns();
  constexpr std::uint64_t shortest = 100'000;  // a guest cannot ask for an interrupt storm
  timer_deadline_ += ((now_ns - timer_deadline_) / period + 1) * period;
  if (timer_deadline_ < now_ns + shortest) {
    timer_deadline_ = now_ns + shortest;
  }
  return true;
}

}  // namespace hyp::x86
