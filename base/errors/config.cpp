// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::config_wrong, ErrorCode::invalid_config, "config-wrong", "the config cannot be used",
     "Each finding stands with the line that it is about: a syntax error, a value of the wrong "
     "kind or outside its range, keys that contradict each other, something that a PVH domain "
     "cannot have.",
     "Correct what the caret points at; xl.cfg(5) describes each key. `xl create -n FILE` checks "
     "without creating anything."},
    {ErrorId::config_missing, ErrorCode::not_found, "config-missing",
     "the config file is not there", "There is no file of the name that was given.",
     "Look at the path. It starts in the directory in which xl was called."},
};

}  // namespace

const ErrorChapter config = {
    "Configurations", "What is found in a config has file, line and column in the message itself.",
    rows};

}  // namespace xl::errors
