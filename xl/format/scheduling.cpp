// SPDX-License-Identifier: Apache-2.0
#include "xl/format/scheduling.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "libxl++/api/wire_json.hpp"
#include "xl/format/json.hpp"

namespace xl::cli {
namespace {

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  char line[128];
  std::snprintf(line, sizeof line, format, values...);
  return line;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

template <typename Row>
std::string json_of(std::span<const Row> rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    list.push_back(api::to_json(row));
  }
  return indented(list);
}

}  // namespace

std::string vcpu_table(std::span<const api::VcpuView> vcpus) {
  std::string text =
      padded("Name", 32) + formatted(" %5s %5s %5s %5s %9s %s\n", "ID", "VCPU", "CPU", "State",
                                     "Time(s)", "Affinity (Hard / Soft)");
  for (const api::VcpuView& vcpu : vcpus) {
    text += padded(vcpu.name, 32) + formatted(" %5u %5u", unsigned{vcpu.domid}, vcpu.vcpu);
    text += vcpu.online ? formatted("%5u   %c%c-", vcpu.cpu, vcpu.running ? 'r' : '-',
                                    vcpu.blocked ? 'b' : '-')
                        : formatted("%5c   --p", '-');
    text += formatted(" %9.1f  ", static_cast<double>(vcpu.cpu_time_ns) / 1e9) +
            vcpu.hard_affinity + " / " + vcpu.soft_affinity + "\n";
  }
  return text;
}

std::string share_table(std::span<const api::ShareView> shares) {
  std::string text = padded("Name", 33) + formatted(" %4s %6s %4s\n", "ID", "Weight", "Cap");
  for (const api::ShareView& share : shares) {
    text += padded(share.name, 33) +
            formatted(" %4u %6u %4u\n", unsigned{share.domid}, share.weight, share.cap);
  }
  return text;
}

std::string vcpu_json(std::span<const api::VcpuView> vcpus) {
  return json_of(vcpus);
}

std::string share_json(std::span<const api::ShareView> shares) {
  return json_of(shares);
}

}  // namespace xl::cli
