// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "xl/command.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_dmesg(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "c", {{"clear", 'c'}, {"json", 'j'}}));
  XL_TRY(options.need_words(0, 0));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::LogView log, client.hypervisor_log());
  print(options.has('j') ? indented({{"text", log.text}, {"next", log.next}}) : log.text);
  if (options.has('c')) {
    XL_TRY(client.clear_hypervisor_log(log.next));
  }
  return {};
}

}  // namespace xl::cli
