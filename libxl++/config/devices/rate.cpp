// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/rate.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

constexpr std::uint64_t second_us = 1'000'000;
constexpr std::uint32_t default_interval_us = 50'000;
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

// Takes the digits that `rest` begins with. None: there are none, or there is a 0 before them,
// which libxlutil takes for octal. Beyond 64 bits: `most`.
std::optional<std::uint64_t> take_digits(std::string_view& rest) {
  if (rest.empty() || rest.front() < '0' || rest.front() > '9') return {};
  std::uint64_t number = 0;
  const char* const end = rest.data() + rest.size();
  const auto [at, error] = std::from_chars(rest.data(), end, number);
  if (rest.front() == '0' && at - rest.data() > 1) return {};
  rest.remove_prefix(static_cast<std::size_t>(at - rest.data()));
  return error == std::errc() ? number : most;
}

std::uint64_t take_scale(std::string_view& rest) {
  const char letter = rest.empty() ? '\0' : rest.front();
  const std::uint64_t scale = letter == 'G'   ? 1'000'000'000
                              : letter == 'M' ? 1'000'000
                              : letter == 'K' ? 1'000
                                              : 1;
  if (scale != 1) rest.remove_prefix(1);
  return scale;
}

std::optional<std::uint64_t> checked_product(std::uint64_t a, std::uint64_t b) {
  if (a == most || (b != 0 && a > most / b)) return {};
  return a * b;
}

std::optional<std::uint64_t> read_bytes_per_second(const Piece& text, SpecFindings& findings) {
  std::string_view rest = text.text;
  const std::optional<std::uint64_t> count = take_digits(rest);
  const std::uint64_t scale = take_scale(rest);
  const bool bits = rest == "b/s";
  if (!count || (!bits && rest != "B/s")) {
    findings.error(text.place, fmt::format("'{}' is not a rate", printable(text.text)),
                   "write a whole number, a unit (GB, MB, KB, B for bytes, Gb, Mb, Kb, b for bits) "
                   "and /s, as in 10Mb/s or 250KB/s@20ms");
    return {};
  }
  const std::optional<std::uint64_t> units = checked_product(*count, scale);
  if (!units || *units == 0) {
    findings.error(text.place, fmt::format("the rate '{}' is out of range", printable(text.text)),
                   "a rate is at least 1B/s and at most 18446744073GB/s");
    return {};
  }
  return bits ? *units / 8 : *units;
}

std::optional<std::uint32_t> read_interval(const Piece& text, SpecFindings& findings) {
  std::string_view rest = text.text;
  const std::optional<std::uint64_t> count = take_digits(rest);
  const bool millis = rest == "ms" || rest == "m";
  const bool micros = rest == "us" || rest == "u";
  if (!count || (!millis && !micros && !rest.empty() && rest != "s")) {
    findings.error(text.place, fmt::format("'{}' is not an interval", printable(text.text)),
                   "write a whole number and a unit (s, ms, us), as in 20ms");
    return {};
  }
  const auto us = checked_product(*count, micros ? 1 : millis ? 1'000 : second_us);
  if (!us || *us == 0 || *us > std::numeric_limits<std::uint32_t>::max()) {
    findings.error(text.place,
                   fmt::format("the interval '{}' is out of range", printable(text.text)),
                   "an interval is at least 1us and at most 4294s");
    return {};
  }
  if (rest.empty()) {
    findings.warning(text.place, fmt::format("the interval '{}' is in seconds", text.text),
                     fmt::format("write {0}s, or {0}us if microseconds are meant", text.text));
  }
  return static_cast<std::uint32_t>(*us);
}

}  // namespace

std::optional<VifRate> parse_vif_rate(const Piece& text, SpecFindings& findings) {
  const std::size_t at = text.text.find('@');
  const auto bytes = read_bytes_per_second(text.part(0, at), findings);
  if (!bytes) return {};
  std::optional<std::uint32_t> interval = default_interval_us;
  if (at != std::string_view::npos) interval = read_interval(text.part(at + 1), findings);
  if (!interval) return {};
  const std::optional<std::uint64_t> product = checked_product(*bytes, *interval);
  if (!product) {
    findings.error(text.place, fmt::format("the rate '{}' is out of range", printable(text.text)),
                   "shorten the interval");
    return {};
  }
  return VifRate{*product / second_us, *interval};
}

}  // namespace xl::config
