// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/format/host.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_info(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "n", {{"numa", 'n'}, {"json", 'j'}}));
  XL_TRY(options.need_words(0, 1));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::HostView host, client.host());
  if (options.has('j')) {
    XL_TRY(options.need_words(0, 0));
    print(host_json(host));
    return {};
  }
  if (options.has('n')) {
    XL_TRY(options.need_words(0, 0));
  }
  const std::vector<InfoLine> lines = info_lines(host);
  if (options.words().empty()) {
    print(options.has('n') ? numa_table(lines, host) : info_table(lines));
    return {};
  }
  for (const InfoLine& line : lines) {
    if (line.key == options.words()[0]) {
      print(line.value + "\n");
      return {};
    }
  }
  return wrong_usage("there is no key '" + options.words()[0] + "'");
}

}  // namespace xl::cli
