/** Runs the checks that need types, one after another, over one program. */
import "./typecheck.js"
import "./docs.js"
