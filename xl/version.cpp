// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_version(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(0, 0));
  print("xl++ " XL_VERSION "\n");
  return {};
}

}  // namespace xl::cli
