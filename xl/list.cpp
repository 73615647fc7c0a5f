// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "xl/command.hpp"
#include "xl/format/domains.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_list(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "lvZcn",
                                                      {{"long", 'l'},
                                                       {"verbose", 'v'},
                                                       {"context", 'Z'},
                                                       {"cpupool", 'c'},
                                                       {"numa", 'n'},
                                                       {"json", 'j'}}));
  XL_TRY(options.need_words(0, options.has('l') ? 1 : SIZE_MAX));
  XL_TRY_ASSIGN(api::Client client, connect());
  const bool some = !options.words().empty();
  if (options.has('l')) {
    XL_TRY_ASSIGN(const std::string json,
                  client.libxl_json(some ? std::optional<std::string_view>(options.words()[0])
                                         : std::nullopt));
    print(json);
    return {};
  }
  std::vector<api::DomainView> domains;
  for (const std::string& word : options.words()) {
    XL_TRY_ASSIGN(api::DomainView domain, client.find(word));
    domains.push_back(std::move(domain));
  }
  if (!some) {
    XL_TRY_ASSIGN(domains, client.list());
  }
  print(options.has('j') ? domains_json(domains)
                         : domain_table(domains, {options.has('v'), options.has('Z'),
                                                  options.has('c'), options.has('n')}));
  return {};
}

}  // namespace xl::cli
