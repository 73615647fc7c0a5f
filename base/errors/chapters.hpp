// SPDX-License-Identifier: Apache-2.0
// The chapters of the table of errors, each in its file; catalogue.hpp joins them.
#pragma once

#include "base/errors/catalogue.hpp"

namespace xl::errors {

extern const ErrorChapter command_line;
extern const ErrorChapter daemon;
extern const ErrorChapter hypervisor;
extern const ErrorChapter config;
extern const ErrorChapter images;
extern const ErrorChapter domains;
extern const ErrorChapter api;
extern const ErrorChapter system;
extern const ErrorChapter general;

}  // namespace xl::errors
