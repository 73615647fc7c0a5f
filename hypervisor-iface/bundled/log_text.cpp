// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "hypervisor-iface/bundled/start.hpp"

namespace xl::hv::bundled {

Hypervisor::LogText log_text(const HostArea& area, std::uint64_t from) {
  const std::uint64_t written = area.log_written().load(std::memory_order_acquire);
  const std::uint64_t oldest = written > abi::log_size ? written - abi::log_size : 0;
  const std::uint64_t start = std::clamp(from, oldest, written);
  const std::span<const std::byte> ring = area.log();
  std::string text;
  text.reserve(static_cast<std::size_t>(written - start));
  for (std::uint64_t at = start; at < written; ++at) {
    text += static_cast<char>(ring[static_cast<std::size_t>(at % abi::log_size)]);
  }
  // The hypervisor goes on writing meanwhile: what it has overwritten since was copied torn.
  std::atomic_thread_fence(std::memory_order_acquire);
  const std::uint64_t now = area.log_written().load(std::memory_order_relaxed);
  const std::uint64_t intact_from = now > abi::log_size ? now - abi::log_size : 0;
  if (intact_from > start) {
    text.erase(0, static_cast<std::size_t>(std::min(intact_from - start, written - start)));
  }
  return {std::move(text), written};
}

std::string last_log_line(const HostArea& area) {
  constexpr std::uint64_t enough = 1024;
  const std::uint64_t written = area.log_written().load(std::memory_order_acquire);
  std::string text = log_text(area, written > enough ? written - enough : 0).text;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  if (text.empty()) {
    return "(empty)";
  }
  const std::size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text : text.substr(newline + 1);
}

}  // namespace xl::hv::bundled
