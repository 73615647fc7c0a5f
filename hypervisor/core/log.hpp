// SPDX-License-Identifier: Apache-2.0
// Log<P>: the hypervisor's log, a ring of bytes in the host area (abi: log_offset,
// Header.log_written). A line is put together in a buffer of its own and copied as a whole, so that
// lines of several CPUs do not mix. Nothing in it is a guest's own words, and no guest can cause
// lines at will. Any CPU, at any time. Freestanding.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "hypervisor/core/platform.hpp"
#include "hypervisor/core/spinlock.hpp"

namespace hyp {

enum class Level : std::uint8_t { error, warning, info, debug };

struct Hex {
  std::uint64_t value;
};
constexpr Hex hex(std::uint64_t value) {
  return Hex{value};
}

// One line, cut off at its end when it is too long.
class LogLine {
 public:
  static constexpr std::size_t capacity = 480;

  void add(const char* text) {
    while (*text != '\0') {
      put(*text++);
    }
  }
  void add(Hex hex) {
    add("0x");
    unsigned shift = 60;
    while (shift > 0 && (hex.value >> shift) == 0) {
      shift -= 4;
    }
    for (;; shift -= 4) {
      put("0123456789abcdef"[(hex.value >> shift) & 15]);
      if (shift == 0) {
        return;
      }
    }
  }
  void add(std::unsigned_integral auto value) {
    char digits[20];
    std::size_t count = 0;
    std::uint64_t rest = value;
    do {
      digits[count++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    while (count > 0) {
      put(digits[--count]);
    }
  }
  void add(DomId id) {
    put('d');
    add(static_cast<std::uint64_t>(id.value()));
  }
  void add(VcpuId id) {
    put('v');
    add(static_cast<std::uint64_t>(id.value()));
  }
  void put(char c) {
    if (size_ < capacity) {
      text_[size_++] = c;
    }
  }
  const char* data() const { return text_; }
  std::size_t size() const { return size_; }

 private:
  char text_[capacity];
  std::size_t size_ = 0;
};

template <typename P>
class Log {
 public:
  constexpr explicit Log(P& platform) : platform_(platform) {}

  // "[    0.001234] text": one line, the end of line is added.
  template <typename... Parts>
  void write(Level level, const Parts&... parts) {
    LogLine line;
    begin(line, level);
    (line.add(parts), ...);
    append(line);
  }

 private:
  void begin(LogLine& line, Level level) {
    const std::uint64_t micros = platform_.now_ns() / 1000;
    const std::uint64_t seconds = micros / 1000000;
    line.put('[');
    for (std::uint64_t width = 10000; width > 1 && seconds < width; width /= 10) {
      line.put(' ');
    }
    line.add(seconds);
    line.put('.');
    for (std::uint64_t digit = 100000; digit > 0; digit /= 10) {
      line.put(static_cast<char>('0' + micros / digit % 10));
    }
    line.add("] ");
    if (level == Level::error) {
      line.add("error: ");
    } else if (level == Level::warning) {
      line.add("warning: ");
    }
  }

  void append(const LogLine& line) {
    Guard guard(lock_);
    for (std::size_t i = 0; i < line.size(); ++i) {
      put(line.data()[i]);
    }
    put('\n');
    std::byte* const word =
        platform_.host_area() + xl::abi::header_offset + offsetof(xl::abi::Header, log_written);
    // SAFETY: the header lies at the start of the host area, naturally aligned.
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(word), written_, __ATOMIC_RELEASE);
  }

  void put(char c) {
    platform_.host_area()[xl::abi::log_offset + written_ % xl::abi::log_size] =
        static_cast<std::byte>(c);
    ++written_;
  }

  P& platform_;
  SpinLock<P> lock_;
  std::uint64_t written_ = 0;
};

}  // namespace hyp
