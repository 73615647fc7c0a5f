// SPDX-License-Identifier: Apache-2.0
// The end of the hypervisor: a report into the log (abi::log_offset), then all CPUs stop. Any CPU,
// any time. It takes no lock, as the CPU that panics may hold any.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace hyp::x86 {

// One value of a report: %d decimal, %x hexadecimal, %p hexadecimal with all 16 digits, %s text.
struct PanicValue {
  std::uint64_t number = 0;
  const char* text = nullptr;
  constexpr PanicValue(std::uint64_t value)
      : number(value) {}  // NOLINT: implicit, as printf's arguments
  constexpr PanicValue(const char* value)
      : text(value) {}  // NOLINT: implicit, as printf's arguments
};

// Logs, marks the hypervisor as panicked, rings the host, stops all CPUs.
[[noreturn]] void panic_values(const char* format, std::initializer_list<PanicValue> values);

template <typename... Values>
[[noreturn]] void panic(const char* format, Values... values) {
  panic_values(format, {PanicValue(values)...});
}

}  // namespace hyp::x86
