#pragma once

#include <string>

#include "protocol/error.h"

namespace tandem {

/// An error that ends start-up; its whole text is for the user.
inline Error fatal_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

/// Prints "ovsdb-server: TEXT" to stderr, after the warnings of a start that the console has not
/// shown; returns the exit status of failure.
int report_fatal(const Error& error);

}  // namespace tandem
