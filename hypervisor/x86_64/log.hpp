// SPDX-License-Identifier: Apache-2.0
// The hypervisor's log: text into the host area's ring (abi::log_offset), read by `xl dmesg`. Any
// CPU, any time.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace hyp::x86 {

// One value of a log line, always 64 bits wide: %d decimal, %x hexadecimal, %p hexadecimal with all
// 16 digits, %s text.
struct LogValue {
  std::uint64_t number = 0;
  const char* text = nullptr;
  constexpr LogValue(std::uint64_t value)
      : number(value) {}                                  // NOLINT: implicit, as printf's arguments
  constexpr LogValue(const char* value) : text(value) {}  // NOLINT: implicit, as printf's arguments
};

// Appends "(XL) " + the text + a newline.
void log_values(const char* format, std::initializer_list<LogValue> values);

template <typename... Values>
void log(const char* format, Values... values) {
  log_values(format, {LogValue(values)...});
}

// Logs, marks the hypervisor as panicked, rings the host, stops all CPUs.
[[noreturn]] void panic_values(const char* format, std::initializer_list<LogValue> values);

template <typename... Values>
[[noreturn]] void panic(const char* format, Values... values) {
  panic_values(format, {LogValue(values)...});
}

}  // namespace hyp::x86
