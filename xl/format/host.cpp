// SPDX-License-Identifier: Apache-2.0
#include "xl/format/host.hpp"

#include <cinttypes>
#include <nlohmann/json.hpp>

#include "xl/format/json.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

std::string mib(std::uint64_t kib) {
  return std::to_string(kib / 1024);
}

// "4.17.0" cut at its first two dots, as Xen reports it: "4", "17", ".0".
struct Version {
  std::string major, minor, extra;
};

Version split_version(const std::string& text) {
  const std::size_t first = text.find('.');
  if (first == std::string::npos) {
    return {text, "", ""};
  }
  const std::size_t second = text.find('.', first + 1);
  return {text.substr(0, first), text.substr(first + 1, second - first - 1),
          second == std::string::npos ? "" : text.substr(second)};
}

std::string info_line(const InfoLine& line) {
  return format("%-23s: %s\n", line.key.c_str(), line.value.c_str());
}

// The hypervisor sees one socket, whose cores have a thread each, and one node with all memory.
std::string topology(const api::HostView& host) {
  std::string text = "cpu_topology           :\ncpu:    core    socket     node\n";
  for (std::uint32_t cpu = 0; cpu < host.cpus; ++cpu) {
    text += format("%3u:    %4u     %4d     %4d\n", cpu, cpu, 0, 0);
  }
  text += "device topology        :\ndevice           node\nNo device topology data available\n";
  text += "numa_info              :\nnode:    memsize    memfree    distances\n";
  return text + format("%4d:    %6s     %6s      %d\n", 0, mib(host.total_memory_kib).c_str(),
                       mib(host.free_memory_kib).c_str(), 10);
}

}  // namespace

std::vector<InfoLine> info_lines(const api::HostView& host) {
  const Version version = split_version(host.hypervisor_version);
  return {{"host", host.node},
          {"release", host.os_release},
          {"version", host.os_version},
          {"machine", host.arch},
          {"nr_cpus", std::to_string(host.cpus)},
          {"max_cpu_id", std::to_string(host.cpus > 0 ? host.cpus - 1 : 0)},
          {"nr_nodes", "1"},
          {"cores_per_socket", std::to_string(host.cpus)},
          {"threads_per_core", "1"},
          {"cpu_mhz", format("%" PRIu64 ".%03" PRIu64, host.cpu_khz / 1000, host.cpu_khz % 1000)},
          {"hw_caps", host.hw_caps},
          {"virt_caps", host.virt_caps},
          {"total_memory", mib(host.total_memory_kib)},
          {"free_memory", mib(host.free_memory_kib)},
          {"sharing_freed_memory", "0"},
          {"sharing_used_memory", "0"},
          {"outstanding_claims", "0"},
          {"free_cpus", "0"},
          {"xen_major", version.major},
          {"xen_minor", version.minor},
          {"xen_extra", version.extra},
          {"xen_version", host.hypervisor_version},
          {"xen_caps", host.capabilities},
          {"xen_scheduler", host.scheduler},
          {"xen_pagesize", "4096"},
          {"platform_params", "virt_start=0xffff800000000000"},
          {"xen_changeset", ""},
          {"xen_commandline", host.command_line},
          {"cc_compiler", host.compiler},
          {"cc_compile_by", host.compile_by},
          {"cc_compile_domain", host.compile_domain},
          {"cc_compile_date", host.compile_date},
          {"build_id", host.build_id},
          {"xend_config_format", "4"},
          {"hypervisor", host.hypervisor},
          {"hypervisor_machine", host.hypervisor_machine},
          {"hypervisor_memory_kib", std::to_string(host.overhead_kib)},
          {"scrub_pending_kib", std::to_string(host.scrub_pending_kib)},
          {"toolstack_version", host.toolstack_version}};
}

std::string info_table(const std::vector<InfoLine>& lines) {
  std::string text;
  for (const InfoLine& line : lines) {
    text += info_line(line);
  }
  return text;
}

std::string numa_table(const std::vector<InfoLine>& lines, const api::HostView& host) {
  std::string text;
  for (const InfoLine& line : lines) {
    text += info_line(line);
    if (line.key == "free_cpus") {
      text += topology(host);
    }
  }
  return text;
}

std::string pool_table(std::uint32_t cpus, std::size_t domains) {
  return format("%-19sCPUs   Sched     Active   Domain count\n%-19s%3u %9s       y       %4zu\n",
                "Name", only_pool, cpus, "credit2", domains);
}

std::string pool_cpus(std::uint32_t cpus) {
  std::string text = format("%-19sCPU list\n%-19s", "Name", only_pool);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    text += (cpu == 0 ? "" : ",") + std::to_string(cpu);
  }
  return text + "\n";
}

std::string pool_json(std::uint32_t cpus, std::size_t domains) {
  return indented({{{"name", only_pool},
                    {"poolid", 0},
                    {"sched", "credit2"},
                    {"cpus", cpus},
                    {"domains", domains}}});
}

std::string daemon_table(const api::DaemonView& daemon) {
  std::string sockets;
  for (const std::string& path : daemon.xenstore_sockets) {
    sockets += (sockets.empty() ? "" : " ") + path;
  }
  return info_table({{"pid", std::to_string(daemon.pid)},
                     {"version", daemon.version},
                     {"socket", daemon.socket},
                     {"xenstore", sockets},
                     {"log", daemon.log_file.empty() ? "standard error" : daemon.log_file},
                     {"hypervisor", daemon.hypervisor_running ? daemon.hypervisor : "not started"},
                     {"domains", std::to_string(daemon.domains)}});
}

}  // namespace xl::cli
