// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/format/domains.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_vm_list(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", 'j'}}));
  XL_TRY(options.need_words(0, 0));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const std::vector<api::DomainView> domains, client.list());
  print(options.has('j') ? domains_json(domains) : vm_table(domains));
  return {};
}

}  // namespace xl::cli
