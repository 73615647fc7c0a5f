// SPDX-License-Identifier: Apache-2.0
// The machine's RAM is a memfd, sparse, that QEMU and xld both map whole: it takes address space at
// once, and memory as domains use it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>

#include "base/unique_fd.hpp"
#include "hypervisor-iface/bundled/probe.hpp"

namespace xl::hv::bundled {
namespace {

constexpr Bytes least = mib(64);             // for a hypervisor and one small domain
constexpr Bytes beside_the_ram = mib(1024);  // QEMU's own address space, translations included

std::uint64_t in_mib(Bytes bytes) {
  return bytes.count() >> 20;
}

std::optional<Bytes> available() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  std::uint64_t kib = 0;
  for (std::string line; file >> key >> kib && std::getline(file, line);) {
    if (key == "MemAvailable:") {
      return Bytes(kib << 10);
    }
  }
  return std::nullopt;
}

// The least of the limits of this process' cgroup and those above it (version 2 only).
std::optional<Bytes> cgroup_limit() {
  std::ifstream self("/proc/self/cgroup");
  std::string line;
  std::string path;
  while (std::getline(self, line)) {
    if (line.starts_with("0::")) {
      path = line.substr(3);
    }
  }
  std::optional<Bytes> limit;
  while (true) {
    std::ifstream file("/sys/fs/cgroup" + path + "/memory.max");
    std::uint64_t bytes = 0;
    if (file >> bytes) {  // "max" is no number
      limit = std::min(limit.value_or(Bytes(bytes)), Bytes(bytes));
    }
    if (path.empty() || path == "/") {
      return limit;
    }
    path.erase(path.rfind('/'));
  }
}

Check probe_available(Bytes machine) {
  const std::optional<Bytes> host = available();
  const std::optional<Bytes> group = cgroup_limit();
  if (!host) {
    return check_warning("memory", "/proc/meminfo does not tell how much is available",
                         "mount /proc");
  }
  const Bytes free = std::min(*host, group.value_or(*host));
  const std::string detail =
      fmt::format("{} MiB available{}, domains may have {} MiB in all", in_mib(free),
                  group && *group < *host ? " (the cgroup's limit)" : "", in_mib(machine));
  if (free < least) {
    return check_failed("memory", detail, "end something that uses memory, or add some");
  }
  if (free < machine) {
    return check_warning("memory", detail,
                         fmt::format("should they use it all, the kernel would end QEMU: "
                                     "XLD_MEMORY_MIB={} before xld starts makes it less",
                                     in_mib(free) / 2 * 2));
  }
  return check_ok("memory", detail);
}

Check probe_address_space(Bytes machine) {
  rlimit limit{};
  const Bytes need = Bytes(machine.count() + beside_the_ram.count());
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < need.count()) {
    return check_failed("address space",
                        fmt::format("limited to {} MiB, about {} MiB are needed",
                                    limit.rlim_cur >> 20, in_mib(need)),
                        "`ulimit -v unlimited` (RLIMIT_AS), or a smaller XLD_MEMORY_MIB");
  }
  return check_ok("address space", fmt::format("{} MiB are no problem", in_mib(need)));
}

Check probe_memfd(Bytes machine) {
  constexpr const char* name = "memory file";
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < machine.count()) {
    return check_failed(name,
                        fmt::format("files are limited to {} MiB, {} MiB are needed",
                                    limit.rlim_cur >> 20, in_mib(machine)),
                        "`ulimit -f unlimited` (RLIMIT_FSIZE), or a smaller XLD_MEMORY_MIB");
  }
  const UniqueFd fd(::memfd_create("xl++ probe", MFD_CLOEXEC));
  const auto size = static_cast<off_t>(machine.count());
  constexpr off_t hole = 2 << 20;
  if (!fd || ::ftruncate(fd.get(), size) != 0) {
    return check_failed(
        name, system_error(errno, fmt::format("making one of {} MiB", in_mib(machine))).message,
        "use a kernel with CONFIG_MEMFD_CREATE, or a smaller XLD_MEMORY_MIB");
  }
  if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, hole) != 0) {
    return check_failed(name, system_error(errno, "giving memory back").message,
                        "use a kernel whose tmpfs knows FALLOC_FL_PUNCH_HOLE (3.5 or later)");
  }
  return check_ok(name, fmt::format("{} MiB, and what is not used goes back", in_mib(machine)));
}

}  // namespace

std::vector<Check> probe_memory(Bytes machine) {
  return {probe_available(machine), probe_address_space(machine), probe_memfd(machine)};
}

}  // namespace xl::hv::bundled
