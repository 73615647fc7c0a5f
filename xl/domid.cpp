// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_domid(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", 'j'}}));
  XL_TRY(options.need_words(1, 1));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::DomainView domain, client.find(options.words()[0]));
  print(options.has('j') ? domid_json(domain) : std::to_string(domain.domid) + "\n");
  return {};
}

}  // namespace xl::cli
