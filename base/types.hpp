// SPDX-License-Identifier: Apache-2.0
// Strong types that carry the unit. Freestanding.
//
// A Position (Gfn, Mfn, GuestPhys, HostPhys) is a place: places subtract to a distance, a distance
// is added to a place, places are never added. A Quantity (Bytes, Pages) is an amount. An
// Identifier only compares. Arithmetic wraps as its representation does; use checked_add where a
// value is untrusted.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace xl {

template <typename Tag, typename Rep>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep count) : count_(count) {}
  constexpr Rep count() const { return count_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator+(Quantity other) const { return Quantity(count_ + other.count_); }
  constexpr Quantity operator-(Quantity other) const { return Quantity(count_ - other.count_); }
  constexpr Quantity& operator+=(Quantity other) { return *this = *this + other; }
  constexpr Quantity& operator-=(Quantity other) { return *this = *this - other; }

  // False, and `out` unchanged, when the sum does not fit.
  static constexpr bool checked_add(Quantity a, Quantity b, Quantity& out) {
    Rep sum{};
    if (__builtin_add_overflow(a.count_, b.count_, &sum)) {
      return false;
    }
    out = Quantity(sum);
    return true;
  }

 private:
  Rep count_{};
};

template <typename Tag, typename Distance>
class Position {
 public:
  using rep = typename Distance::rep;
  constexpr Position() = default;
  constexpr explicit Position(rep value) : value_(value) {}
  constexpr rep value() const { return value_; }
  constexpr auto operator<=>(const Position&) const = default;
  constexpr Position operator+(Distance distance) const {
    return Position(value_ + distance.count());
  }
  constexpr Position operator-(Distance distance) const {
    return Position(value_ - distance.count());
  }
  constexpr Distance operator-(Position other) const { return Distance(value_ - other.value_); }
  constexpr Position& operator+=(Distance distance) { return *this = *this + distance; }

  static constexpr bool checked_add(Position a, Distance b, Position& out) {
    rep sum{};
    if (__builtin_add_overflow(a.value_, b.count(), &sum)) {
      return false;
    }
    out = Position(sum);
    return true;
  }

 private:
  rep value_{};
};

template <typename Tag, typename Rep>
class Identifier {
 public:
  using rep = Rep;
  constexpr Identifier() = default;
  constexpr explicit Identifier(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const Identifier&) const = default;

 private:
  Rep value_{};
};

using Bytes = Quantity<struct BytesTag, std::uint64_t>;
using Pages = Quantity<struct PagesTag, std::uint64_t>;  // of 4 KiB
using Nanoseconds = Quantity<struct NanosecondsTag, std::uint64_t>;

using Gfn = Position<struct GfnTag, Pages>;  // guest frame number
using Mfn = Position<struct MfnTag, Pages>;  // machine frame number
using GuestPhys = Position<struct GuestPhysTag, Bytes>;
using HostPhys = Position<struct HostPhysTag, Bytes>;
using SystemTime = Position<struct SystemTimeTag, Nanoseconds>;  // since the hypervisor started

using DomId = Identifier<struct DomIdTag, std::uint16_t>;
using VcpuId = Identifier<struct VcpuIdTag, std::uint32_t>;
using EventPort = Identifier<struct EventPortTag, std::uint32_t>;
using GrantRef = Identifier<struct GrantRefTag, std::uint32_t>;

inline constexpr std::uint64_t page_shift = 12;
inline constexpr std::uint64_t page_size = 1ULL << page_shift;

constexpr Gfn to_gfn(GuestPhys address) {
  return Gfn(address.value() >> page_shift);
}
constexpr GuestPhys to_phys(Gfn gfn) {
  return GuestPhys(gfn.value() << page_shift);
}
constexpr Mfn to_mfn(HostPhys address) {
  return Mfn(address.value() >> page_shift);
}
constexpr HostPhys to_phys(Mfn mfn) {
  return HostPhys(mfn.value() << page_shift);
}
constexpr Bytes to_bytes(Pages pages) {
  return Bytes(pages.count() << page_shift);
}
constexpr Pages to_pages_up(Bytes bytes) {
  return Pages((bytes.count() >> page_shift) + ((bytes.count() & (page_size - 1)) != 0 ? 1 : 0));
}
constexpr Bytes kib(std::uint64_t count) {
  return Bytes(count << 10);
}
constexpr Bytes mib(std::uint64_t count) {
  return Bytes(count << 20);
}
constexpr Bytes gib(std::uint64_t count) {
  return Bytes(count << 30);
}

}  // namespace xl
