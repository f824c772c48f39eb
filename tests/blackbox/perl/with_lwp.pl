# A client with LWP, asked as the others are: one line of JSON for each update, one line of JSON for each answer.
use strict;
use warnings;
use HTTP::Request::Common ();
use JSON::PP;
use LWP::UserAgent;
use MIME::Base64 qw(encode_base64);
use URI;

my $json = JSON::PP->new->canonical;
my $agent = LWP::UserAgent->new( timeout => 30 );
my %update = ( buyer_converted => JSON::PP::true, revenue => 42.00, offer_converted => JSON::PP::true );
my %texts = ( buyer_converted => 'true', revenue => '42.00', offer_converted => 'true' );
my %nested = ( %texts, 'post_call_tokens[first_name]' => 'Jane' );
my %documents = (
    json            => { %update, post_call_tokens => {} },
    json_as_form    => { %update, post_call_tokens => {} },
    json_nested     => { %update, post_call_tokens => { first_name => 'Jane' } },
    json_empty_list => { %update, post_call_tokens => [] },
);
my %forms   = ( form  => \%texts, nested_form => \%nested, multipart => \%nested );
my %queries = ( query => \%texts, get         => \%nested );

sub request_of {
    my ($ask) = @_;
    my ( $body, $credential, $token ) = @$ask{qw(body credential token)};
    my $pair   = "$ask->{public}:$ask->{private}";
    my $target = URI->new( $ask->{url} );
    my %query  = ( $target->query_form, %{ $queries{$body} // {} } );
    $query{auth_token} = $token if $credential eq 'auth_token_query';
    $target->query_form(%query) if %query;
    my %secret = $credential eq 'auth_token_body' ? ( auth_token => $token ) : ();

    my $request;
    if ( my $document = $documents{$body} ) {
        $request = HTTP::Request->new( POST => $target, undef, $json->encode( { %$document, %secret } ) );
        $request->header( 'Content-Type' => 'application/json' ) if $body ne 'json_as_form';
    }
    elsif ( my $form = $forms{$body} ) {
        my @type = $body eq 'multipart' ? ( Content_Type => 'form-data' ) : ();
        $request = HTTP::Request::Common::POST( $target, @type, Content => [ %$form, %secret ] );
    }
    else {
        $request = HTTP::Request->new( ( $body eq 'get' ? 'GET' : 'POST' ), $target );
    }

    my %headers = (
        basic_header => 'Basic ' . encode_base64( $pair, '' ),
        token        => "Token $token",
        token_quoted => qq{Token token="$token"},
        bearer       => "Bearer $token",
    );
    $request->header( Authorization => $headers{$credential} ) if $headers{$credential};
    $request->authorization_basic( $ask->{public}, $ask->{private} ) if $credential eq 'basic_option';
    $target->userinfo($pair) if $credential eq 'basic_url';
    $request->uri($target);
    return $request;
}

$| = 1;
while ( my $line = <STDIN> ) {
    my $response = $agent->request( request_of( $json->decode($line) ) );
    my %headers  = map { lc($_) => scalar $response->header($_) } $response->header_field_names;
    print $json->encode(
        { status => $response->code + 0, headers => \%headers, body => $response->decoded_content( charset => 'none' ) }
    ), "\n";
}
