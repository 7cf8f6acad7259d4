"""What EXPLAIN said, as a page to read. Pure."""

from tui.sources.postgres.plan import Plan


def plan_page(plan: Plan) -> str:
    """Return a plan: what it is of, which tables it reads from end to end, and EXPLAIN's own lines."""
    facts = [
        ("database", plan.database),
        ("search path", f"{plan.search_path} (the session may have set another, which nobody else can see)"),
    ]
    if plan.parameters:
        facts.append(("parameters", f"{plan.parameters}: this is the plan for no values in particular (generic)"))
    facts += [
        ("reads all of", f"{table} (cost {cost:,.0f}, about {rows:,} rows left)")
        for table, cost, rows in plan.whole_tables()
    ]
    lines = [f"{label:<14} {value}" for label, value in facts]
    return "\n".join(
        [
            *lines,
            "",
            "EXPLAIN; nothing was run, so there are estimates and no times:",
            "",
            *plan.lines,
            "",
            plan.statement,
        ]
    )
