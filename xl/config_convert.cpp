// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/config_file.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_config_convert(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "", {{"to", 't', true}, {"from", 'f', true}}));
  XL_TRY(options.need_words(1, 1));
  if (!options.has('t')) {
    return wrong_usage("--to=FORMAT is missing: cfg, yaml, json or xml");
  }
  api::ConvertRequest request;
  request.to = options.value('t');
  if (options.has('f')) {
    request.from = options.value('f');
  }
  request.config.name = options.words()[0];
  XL_TRY_ASSIGN(request.config.text, read_config(request.config.name));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::ConvertedView converted, client.convert(request));
  print_note(converted.rendered_warnings);
  print(converted.text);
  return {};
}

}  // namespace xl::cli
