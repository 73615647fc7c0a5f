// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "libxl++/api/metrics.hpp"
#include "libxl++/api/prometheus.hpp"

namespace xl::api {
namespace {

// Of proc(5)'s statm: the second number is what is resident.
std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  return error ? 0 : static_cast<std::uint64_t>(std::distance(begin(entries), end(entries))) - 1;
}

}  // namespace

void write_process(Prometheus& out, std::int64_t started_ms) {
  timespec cpu{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  out.counter("process_cpu_seconds_total", "CPU time of xld");
  out.seconds({}, static_cast<std::uint64_t>(cpu.tv_sec) * 1'000'000'000 +
                      static_cast<std::uint64_t>(cpu.tv_nsec));
  out.gauge("process_resident_memory_bytes", "Resident memory of xld");
  out.sample({}, resident_bytes());
  out.gauge("process_open_fds", "Open descriptors of xld");
  out.sample({}, open_descriptors());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  out.gauge("process_max_fds", "As many may be open");
  out.sample({}, limit.rlim_cur);
  out.gauge("process_start_time_seconds", "When xld started, since 1970");
  out.seconds({}, static_cast<std::uint64_t>(started_ms) * 1'000'000);
}

}  // namespace xl::api
