// SPDX-License-Identifier: Apache-2.0
// What `xl top` shows, as lines: columns, widths and letters are xentop's, for scripts cut them
// apart. Network and block columns are there for the same reason. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libxl++/api/wire.hpp"

namespace xl::cli {

// One look at everything.
struct TopSample {
  std::int64_t time_ns = 0;  // steady clock
  std::vector<api::DomainView> domains;
  api::HostView host;
  std::vector<api::VcpuView> vcpus;  // of all, or none if nobody asked
};

struct TopOptions {
  std::size_t sort = 0;  // column
  bool full_names = false;
  bool repeat_header = false;
  bool vcpus = false;
  std::size_t first = 0;  // domain that is shown first; made smaller if there are not so many
};

struct TopLine {
  std::string text;
  bool header = false;
  std::size_t bold_from = 0, bold_to = 0;  // the column that it is sorted by
};

std::size_t top_columns();
// Processor time of `now`'s domains since `before`, in per cent of one CPU; index as domains.
std::vector<double> cpu_percent(const TopSample& before, const TopSample& now);
// The two samples may be the same: then nothing has passed.
std::vector<TopLine> top_table(const TopSample& before, const TopSample& now, TopOptions& options);
// The three lines above; `clock` is the time of day.
std::vector<std::string> top_summary(const TopSample& now, const std::string& clock);

}  // namespace xl::cli
