// SPDX-License-Identifier: Apache-2.0
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_metrics(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(0, 0));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const std::string text, client.metrics());
  print(text);
  return {};
}

}  // namespace xl::cli
