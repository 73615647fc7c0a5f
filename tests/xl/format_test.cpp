// SPDX-License-Identifier: Apache-2.0
// Formatters against golden files. With XL_UPDATE_GOLDEN set the files are written instead.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "xl/format/domains.hpp"
#include "xl/format/host.hpp"
#include "xl/format/image.hpp"
#include "xl/format/json.hpp"

namespace xl::cli {
namespace {

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(XL_GOLDEN_DIR) + "/" + name;
  if (std::getenv("XL_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(text, expected.str()) << name;
}

api::DomainView view(std::uint16_t domid, const std::string& name) {
  api::DomainView domain;
  domain.domid = domid;
  domain.name = name;
  domain.uuid = "c7f5e7a0-3f0c-4a4e-9a3d-0a1b2c3d4e5f";
  domain.memory_kib = 512 * 1024;
  domain.vcpus_online = 1;
  domain.created_ms = 1'000'000;
  return domain;
}

std::vector<api::DomainView> some_domains() {
  std::vector<api::DomainView> domains = {view(0, "Domain-0"), view(1, "blocked"),
                                          view(12345, std::string(50, 'n'))};
  domains[0].running = true;
  domains[0].vcpus_online = 16;
  domains[0].memory_kib = 24'684'084;
  domains[0].cpu_time_ns = 123'456'700'000'000;
  domains[1].blocked = true;
  domains[1].cpu_time_ns = 1'250'000'000;
  domains[2].paused = true;
  std::uint16_t domid = 20;
  for (const char* reason : api::shutdown_names) {
    domains.push_back(view(domid++, reason));
    domains.back().shutdown_reason = reason;
  }
  domains.back().dying = true;
  return domains;
}

TEST(Format, DomainTable) {
  expect_golden("list.txt", domain_table(some_domains(), {}));
  expect_golden("list-verbose.txt", domain_table(some_domains(), {.verbose = true}));
  expect_golden("list-columns.txt",
                domain_table(some_domains(), {.context = true, .cpupool = true, .numa = true}));
  expect_golden("list.json", domains_json(some_domains()));
  expect_golden("uptime.json", uptime_json(some_domains(), 4'662'000));
  expect_golden("domid.json", domid_json(some_domains()[1]));
  expect_golden("info.json", host_json({}));
  expect_golden("list-empty.txt", domain_table({}, {}));
}

TEST(Format, VmTable) {
  expect_golden("vm-list.txt", vm_table(some_domains()));
}

TEST(Format, Uptime) {
  std::vector<api::DomainView> domains(5, view(3, "guest"));
  constexpr std::int64_t now_ms = 1'000'000'000'000;
  const std::int64_t ages[] = {0, 59, 3600 * 10 + 61, 86400 + 5, 86400 * 400 + 86399};
  for (std::size_t index = 0; index < domains.size(); ++index) {
    domains[index].created_ms = now_ms - ages[index] * 1000;
  }
  domains.push_back(view(4, "from the future"));
  domains.back().created_ms = now_ms + 5000;
  expect_golden("uptime.txt", uptime_table(domains, now_ms));
  expect_golden("uptime-short.txt", uptime_lines(domains, now_ms, "12:34:56"));
}

TEST(Format, Info) {
  api::HostView host;
  host.hypervisor = "bundled";
  host.scheduler = "bundled";
  host.hypervisor_version = "4.17.0";
  host.capabilities = "hvm-3.0-x86_32 hvm-3.0-x86_64";
  host.virt_caps = "hvm hap pvh";
  host.hypervisor_machine = "qemu 7.2.22 tcg, 2 cpus";
  host.node = "host";
  host.os_release = "6.1.0";
  host.os_version = "#1 SMP";
  host.arch = "x86_64";
  host.hw_caps = "178bf3ff:f6d8320b:2e500800:244037ff:0000000f:f1bf97a9:00405fce:00000780";
  host.compiler = "12.2.0";
  host.toolstack_version = "0.1.0";
  host.cpus = 2;
  host.cpu_khz = 2'299'009;
  host.total_memory_kib = 18'506'752;
  host.free_memory_kib = 18'000'000;
  host.scrub_pending_kib = 4;
  host.overhead_kib = 1228;
  expect_golden("info.txt", info_table(info_lines(host)));
}

TEST(Format, Daemon) {
  api::DaemonView daemon{
      4711, "/run/xl/xld.sock", "0.1.0", "/run/xl", "/run/xl/xld.log",
      true, "bundled (qemu)",   2,       0,         {"/run/xl/xenstored/socket"}};
  std::string text = daemon_table(daemon);
  daemon.hypervisor_running = false;
  daemon.log_file.clear();
  expect_golden("daemon.txt", text + daemon_table(daemon));
}

constexpr const char* kernel_json = R"({
  "path": "/boot/vmlinuz", "file_bytes": 14149568, "container": "bzImage", "compression": "lz4",
  "boot_protocol": "2.15", "kernel_version": "6.1.0", "image_bytes": 53241868, "elf_class": 64,
  "machine": "x86-64", "elf_type": "executable", "entry": 16777216,
  "segments": [{"physical_address": 16777216, "virtual_address": 18446744071578845184,
    "offset": 2097152, "file_bytes": 25305872, "memory_bytes": 25305872, "flags": 5}],
  "notes": [{"type": 6, "name": "GUEST_OS", "size": 6, "text": "linux"},
            {"type": 18, "name": "PHYS32_ENTRY", "size": 8, "number": 16779344},
            {"type": 13, "name": "L1_MFN_VALID", "size": 2, "bytes": "0100"}],
  "features": {"supported": ["a", "b"], "required": ["a"], "unknown": []},
  "boot_abis": ["PVH", "PV"], "problems": []})";

TEST(Format, Image) {
  const Result<std::string> text = image_text(kernel_json);
  ASSERT_TRUE(text) << text.error().message;
  expect_golden("inspect.txt", *text);
  const Result<std::string> nothing = image_text(R"({
    "path": "/etc/passwd", "file_bytes": 10, "container": "none", "compression": "none",
    "boot_protocol": "", "kernel_version": "", "image_bytes": 0, "elf_class": 0, "machine": "",
    "elf_type": "", "entry": 0, "segments": [], "notes": [],
    "features": {"supported": [], "required": [], "unknown": []}, "boot_abis": [],
    "problems": ["it is neither an ELF file nor a bzImage"]})");
  ASSERT_TRUE(nothing) << nothing.error().message;
  expect_golden("inspect-nothing.txt", *nothing);
  EXPECT_FALSE(image_text("{}"));
}

}  // namespace
}  // namespace xl::cli
