// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/cpu_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

struct CpuRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

Unexpected<Error> wrong(std::string_view item, std::string_view why) {
  return fail(ErrorId::cpu_list_wrong, fmt::format("'{}' {}", printable(item), why),
              "write CPUs as in \"0-3,5\" or \"all,^1\"");
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Result<std::uint32_t> parse_cpu(std::string_view text, std::string_view item) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || at != end || error == std::errc::invalid_argument) {
    return wrong(item, "is not a number, a range or 'all'");
  }
  if (error != std::errc() || number >= cpu_list_limit) {
    return wrong(item, fmt::format("is out of range: numbers go up to {}", cpu_list_limit - 1));
  }
  return number;
}

Result<CpuRange> parse_range(std::string_view text, std::string_view item) {
  if (text == "all") return CpuRange{0, cpu_list_limit - 1};
  const std::size_t dash = text.find('-');
  CpuRange range;
  XL_TRY_ASSIGN(range.first, parse_cpu(trimmed(text.substr(0, dash)), item));
  range.last = range.first;
  if (dash != std::string_view::npos) {
    XL_TRY_ASSIGN(range.last, parse_cpu(trimmed(text.substr(dash + 1)), item));
  }
  if (range.last < range.first) return wrong(item, "ends before it begins");
  return range;
}

Result<void> apply(std::string_view item, CpuSet& set) {
  std::string_view rest = item;
  const bool without = take_prefix(rest, "^");
  const bool node = take_prefix(rest, "nodes:") || take_prefix(rest, "node:");
  XL_TRY_ASSIGN(CpuRange range, parse_range(trimmed(rest), item));
  if (node) {
    if (range.first != 0 || (range.last != 0 && rest != "all")) {
      return fail(ErrorId::cpu_list_wrong,
                  fmt::format("'{}' names a NUMA node that the host has not", printable(item)),
                  "the host is one node, number 0");
    }
    range.last = cpu_list_limit - 1;
  }
  for (std::uint32_t cpu = range.first; cpu <= range.last; ++cpu) set[cpu] = !without;
  return {};
}

}  // namespace

Result<CpuSet> parse_cpu_list(std::string_view text) {
  CpuSet set;
  std::string_view rest = text;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    XL_TRY(apply(trimmed(rest.substr(0, comma)), set));
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  if (set.none()) {
    return fail(ErrorId::cpu_list_wrong, fmt::format("'{}' leaves no CPU", printable(text)),
                "'^' takes away from what stands before it: write \"all,^1\"");
  }
  return set;
}

std::string format_cpu_list(const CpuSet& set, std::uint32_t cpus) {
  std::string text;
  std::uint32_t count = 0;
  for (std::uint32_t cpu = 0; cpu < cpu_list_limit; ++cpu) {
    if (!set[cpu]) continue;
    const std::uint32_t first = cpu;
    while (cpu + 1 < cpu_list_limit && set[cpu + 1]) ++cpu;
    if (first == 0) count = cpu + 1;
    text += text.empty() ? "" : ",";
    text += first == cpu ? fmt::format("{}", first) : fmt::format("{}-{}", first, cpu);
  }
  if (text.empty()) return "none";
  return count >= cpus ? "all" : text;
}

}  // namespace xl::config
