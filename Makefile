# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
#
# A menu: each entry calls one script, which can be called just as well.

.DEFAULT_GOAL := help
.PHONY: help demo test test-more test-threads check format bench chaos soak

help: ## Show this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## See tokens being refreshed live, without a TastyTrade account (DEMO_SECONDS=N ends it by itself)
	@scripts/demo

test: ## Check, build and test everything, installing what is missing
	@scripts/test

test-more: ## Build for release, load a million accounts, and fuzz what reads bytes
	@scripts/test more

test-threads: ## Build and test once more under the thread sanitizer
	@scripts/test threads

check: ## Look at the text only: format, headers, documentation, imports, scripts, units
	@scripts/check

format: ## Put all Swift files into the project's format
	@scripts/format

chaos: ## Let everything go wrong around three daemons, and say what it cost (CHAOS_MINUTES=N, CHAOS_SEED=N repeats a run)
	@scripts/chaos

soak: ## The same for an hour
	@CHAOS_MINUTES=$${CHAOS_MINUTES:-60} scripts/chaos

bench: ## Measure, side by side with peers
	@scripts/bench
