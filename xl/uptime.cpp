// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include "xl/command.hpp"
#include "xl/format/domains.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_uptime(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "s", {{"json", 'j'}}));
  XL_TRY_ASSIGN(api::Client client, connect());
  std::vector<api::DomainView> domains;
  if (options.words().empty()) {
    XL_TRY_ASSIGN(domains, client.list());
  }
  for (const std::string& name : options.words()) {
    XL_TRY_ASSIGN(api::DomainView domain, client.find(name));
    domains.push_back(std::move(domain));
  }
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  const std::int64_t now_ms = std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
  if (options.has('j')) {
    print(uptime_json(domains, now_ms));
    return {};
  }
  print(options.has('s')
            ? uptime_lines(domains, now_ms,
                           format("%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec))
            : uptime_table(domains, now_ms));
  return {};
}

}  // namespace xl::cli
